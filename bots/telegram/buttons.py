"""Handlers of the buttons under answers: another sentence, remove, and the photos of an album. See also votes.py.

A button carries all it needs in its callback data, so it works after a restart.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from telegram import CallbackQuery, Message, Update
from telegram.error import TelegramError

from bots.ai_label import labelled_text
from bots.errors import NotAllowed
from bots.i18n import say
from bots.service.service import CaptionService
from bots.service.views import CaptionView
from bots.telegram.context import Bot, Context
from bots.telegram.keys import (
    another_source_key,
    group_key,
    is_private,
    parse_callback_data,
    parse_message_key,
    person_key,
)
from bots.telegram.rendering import album_keyboard, caption_keyboard, render_answer
from bots.telegram.replies import answer_query, edit_keyboard
from bots.telegram.reply_target import ReplyTarget


@dataclass(frozen=True)
class ButtonPress:
    """A callback query with its data parsed."""

    query: CallbackQuery
    action: str
    argument: str  # for most actions the public id of a caption
    person: str  # key of who pressed the button
    chat: str | None  # key of the group, None in a private chat

    @property
    def private(self) -> bool:
        return self.chat is None

    @property
    def in_album(self) -> bool:
        """Whether the message shows the buttons of one photo of an album, with one that leads back."""
        message = self.query.message
        keyboard = message.reply_markup if isinstance(message, Message) else None
        buttons = [button for row in keyboard.inline_keyboard for button in row] if keyboard else []
        return any(parse_callback_data(str(button.callback_data))[0] == "all" for button in buttons)


def button_press(update: Update) -> ButtonPress:
    query = update.callback_query
    assert query is not None, "callback query handlers get updates with a query"
    action, argument = parse_callback_data(query.data or "")
    chat = group_key(query.message.chat) if query.message else None
    return ButtonPress(query, action, argument, person_key(query.from_user), chat)


async def on_another(update: Update, context: Context) -> None:
    """Request another sentence for the photo: a new caption in a new message, so that each has its own votes."""
    press, service = button_press(update), context.service
    caption = await context.to_thread(service.captions.get, press.argument, person=press.person, chat=press.chat)
    await context.to_thread(
        service.submissions.another,
        caption.id,
        person=press.person,
        source=another_source_key(ReplyTarget.from_json(caption.reply_to).source, press.query.id),
        reply_to=caption.reply_to,
        chat=press.chat,
    )
    text = say(await context.language_of(press.query.from_user), "telegram.another")
    await answer_query(press.query, text)


async def on_album_photo(update: Update, context: Context) -> None:
    """A number under an album: show the buttons of that photo."""
    press, service = button_press(update), context.service
    caption = await context.to_thread(service.captions.get, press.argument, person=press.person, chat=press.chat)
    language = await context.language_of(press.query.from_user)
    await answer_query(press.query, labelled_text(caption, language))
    buttons = await context.language_of_answer(caption)
    keyboard = caption_keyboard(caption.id, caption.votes, buttons, private=press.private, in_album=True)
    await edit_keyboard(press.query, keyboard, context)


async def on_album_overview(update: Update, context: Context) -> None:
    """Back to the numbers of an album."""
    press, service = button_press(update), context.service
    caption = await context.to_thread(service.captions.get, press.argument, person=press.person, chat=press.chat)
    await answer_query(press.query)
    if caption.message:
        captions = await context.to_thread(service.captions.by_message, caption.message)
        await edit_keyboard(press.query, album_keyboard(captions), context)


async def on_remove(update: Update, context: Context) -> None:
    """Remove the photo with all of its captions, and delete the answers that show them."""
    press, service = button_press(update), context.service
    caption = await context.to_thread(service.captions.get, press.argument, person=press.person, chat=press.chat)
    if caption.sender != press.person:
        raise NotAllowed
    removed = await context.to_thread(service.captions.remove, press.argument, person=press.person)
    language = await context.language_of(press.query.from_user)
    try:
        await answer_query(press.query, say(language, "telegram.removed"))
    finally:  # if the update comes again, the database no longer knows which messages showed these captions
        await delete_answers(removed, language, context.bot, context.service)


async def delete_answers(removed: Iterable[CaptionView], language: str, bot: Bot, service: CaptionService) -> None:
    """Delete the messages that show removed captions. An album's message is edited if other photos are left."""
    for key in {caption.message for caption in removed if caption.message}:
        left = await asyncio.to_thread(service.captions.by_message, key)
        chat, message = parse_message_key(key)
        with contextlib.suppress(TelegramError):  # it was deleted already, or is too old
            if left:
                answer = render_answer(left, language, private=is_private(chat))
                await bot.edit_message_text(chat_id=chat, message_id=message, **answer)
            else:
                await bot.delete_message(chat, message)


async def on_unknown_button(update: Update, context: Context) -> None:
    """A button of a version of the bot whose actions this one does not know."""
    query = button_press(update).query
    await answer_query(query, say(await context.language_of(query.from_user), "telegram.old_button"))
