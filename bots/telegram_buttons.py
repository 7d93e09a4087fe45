"""Buttons under answers: another sentence, the bin, and the photos of an album. Thumbs are in telegram_votes.py.

They work after restarts: nothing is kept but what their data says.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from telegram import CallbackQuery, Message, Update
from telegram.error import TelegramError

from bots.errors import NotAllowed
from bots.telegram_answers import album_buttons, answer, buttons
from bots.telegram_context import Context, chat_key, message_key, person_key
from bots.telegram_talk import show_buttons, toast
from bots.texts import say
from bots.views import CaptionView


@dataclass(frozen=True)
class Pressed:
    """A button: what its data says, who pressed it, and in which group (None: in private)."""

    query: CallbackQuery
    verb: str
    argument: str
    person: str
    chat: str | None

    @property
    def private(self) -> bool:
        return self.chat is None

    @property
    def in_album(self) -> bool:
        """Whether the message shows one photo of an album: then a second row leads back."""
        message = self.query.message
        markup = message.reply_markup if isinstance(message, Message) else None
        return markup is not None and len(markup.inline_keyboard) > 1


def pressed(update: Update) -> Pressed:
    query = update.callback_query
    assert query is not None, "that is what the handler is for"
    verb, _, argument = (query.data or "").partition(":")
    chat = chat_key(query.message.chat) if query.message else None
    return Pressed(query, verb, argument, person_key(query.from_user), chat)


async def on_more(update: Update, context: Context) -> None:
    """Another sentence: a new caption with a message of its own, so that each keeps its votes."""
    tap, service = pressed(update), context.service
    asked = await context.ask(service.result, tap.argument, person=tap.person, chat=tap.chat)
    reply_to = asked.reply_to
    source = f"{reply_to['source']}/again{tap.query.id}"
    await context.ask(service.another, tap.argument, person=tap.person, source=source, reply_to=reply_to, chat=tap.chat)
    await toast(tap.query, say(await context.language_of(tap.query.from_user), "telegram.another"))


async def on_pick(update: Update, context: Context) -> None:
    """A number under an album: the buttons of that photo."""
    tap = pressed(update)
    caption = await context.ask(context.service.result, tap.argument, person=tap.person, chat=tap.chat)
    await toast(tap.query, caption.text)
    await show_buttons(tap.query, buttons(caption.id, caption.votes, private=tap.private, album=True), context)


async def on_all(update: Update, context: Context) -> None:
    """Back to the numbers of an album."""
    tap = pressed(update)
    await toast(tap.query)
    if isinstance(tap.query.message, Message):
        captions = await context.ask(context.service.by_message, message_key(tap.query.message))
        await show_buttons(tap.query, album_buttons(captions), context)


async def on_bin(update: Update, context: Context) -> None:
    """The caption goes, with all others of its photo, the photo, and what was said."""
    tap, service = pressed(update), context.service
    caption = await context.ask(service.result, tap.argument, person=tap.person, chat=tap.chat)
    if caption.sender != tap.person:
        raise NotAllowed
    gone = await context.ask(service.remove, tap.argument, person=tap.person)
    language = await context.language_of(tap.query.from_user)
    try:
        await toast(tap.query, say(language, "telegram.removed"))
    finally:  # when the tap comes again, nothing is left that would say which messages these are
        await take_away(gone, language, context)


async def take_away(gone: Iterable[CaptionView], language: str, context: Context) -> None:
    """Delete the messages of removed captions. Of an album what is left stays."""
    for message in {caption.message for caption in gone if caption.message}:
        left = await context.ask(context.service.by_message, message)
        chat, number = (int(part) for part in message.removeprefix("telegram:").split("/"))
        with contextlib.suppress(TelegramError):  # a person has deleted it already, or it is too old for that
            if left:
                text, markup = answer(left, language, private=chat > 0)
                await context.bot.edit_message_text(text, chat, number, reply_markup=markup)
            else:
                await context.bot.delete_message(chat, number)


async def on_unknown_button(update: Update, context: Context) -> None:
    """A button that no version of the bot knows any more."""
    tap = pressed(update)
    await toast(tap.query, say(await context.language_of(tap.query.from_user), "telegram.old_button"))
