"""Thumbs on Telegram: by button, and by reaction to an answer of any age. Taking a reaction back counts too."""

import contextlib
from collections.abc import Sequence

from telegram import (
    Chat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageReactionUpdated,
    ReactionType,
    ReactionTypeEmoji,
    Update,
    User,
)
from telegram.error import TelegramError

from bots.errors import UserError
from bots.service import CaptionService
from bots.telegram_answers import album_buttons, buttons
from bots.telegram_buttons import pressed
from bots.telegram_context import Context, person_key
from bots.telegram_talk import rewrite, show_buttons, toast
from bots.texts import say
from bots.views import CaptionView, VoteCount

VALUES = {"up": 1, "down": -1}
THUMBS = {"👍": 1, "👎": -1}


async def on_vote(update: Update, context: Context) -> None:
    """A thumb's button: up, down, or undo, which a thumb does that is one's own already."""
    tap, service = pressed(update), context.service
    if tap.verb == "undo":
        votes = await context.ask(service.unvote, tap.argument, person=tap.person, chat=tap.chat)
    else:
        value = VALUES[tap.verb]
        votes = await context.ask(service.vote, tap.argument, person=tap.person, value=value, chat=tap.chat)
    language = await context.language_of(tap.query.from_user)
    await toast(tap.query, say(language, "telegram.vote_taken_back" if tap.verb == "undo" else "telegram.vote_counted"))
    await show_buttons(tap.query, buttons(tap.argument, votes, private=tap.private, album=tap.in_album), context)
    if votes.ask_consent:
        await ask_consent(tap.query.from_user, language, context)


async def on_reaction(update: Update, context: Context) -> None:
    """A thumb as a reaction to an answer, set, changed or taken back."""
    change = update.message_reaction
    assert change is not None, "that is what the handler is for"
    if change.user is None or change.user.is_bot:
        return  # anonymous: nobody's vote
    value, before = _thumb(change.new_reaction), _thumb(change.old_reaction)
    if value == before:
        return
    message = f"telegram:{change.chat.id}/{change.message_id}"
    captions = await context.captions_in(message)
    votes = await context.ask(_count, context.service, captions, change, value, before)
    await _show(change, message, votes, context)
    if any(one.ask_consent for one in votes):
        await ask_consent(change.user, await context.language_of(change.user), context)


def _thumb(reactions: Sequence[ReactionType]) -> int:
    """1, -1 or 0. Of several the last one, which was added last, counts."""
    thumbs = [THUMBS.get(one.emoji, 0) for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return next((thumb for thumb in reversed(thumbs) if thumb), 0)


def _count(
    service: CaptionService, captions: Sequence[CaptionView], change: MessageReactionUpdated, value: int, before: int
) -> list[VoteCount]:
    """For all captions that stand in the message."""
    assert change.user is not None
    person, votes = person_key(change.user), []
    for caption in captions:
        try:
            if value:
                votes.append(service.vote(caption.id, person=person, value=value, chat=caption.chat))
            elif service.result(caption.id, person=person, chat=caption.chat).votes.mine == before:
                votes.append(service.unvote(caption.id, person=person, chat=caption.chat))
        except UserError:
            pass  # failed, or removed meanwhile: a reaction cannot be answered
    return votes


async def _show(change: MessageReactionUpdated, message: str, votes: Sequence[VoteCount], context: Context) -> None:
    """The buttons under the message, with the new counts."""
    if not votes or not context.parts.limiter.has_room(change.chat.id):
        return
    captions = await context.ask(context.service.by_message, message)
    if len(captions) == 1:
        private = change.chat.type == Chat.PRIVATE
        markup: InlineKeyboardMarkup | None = buttons(captions[0].id, votes[0], private=private)
    else:
        markup = album_buttons(captions)
    with contextlib.suppress(TelegramError):  # they show the same already, or the message is gone; the vote counts
        await context.bot.edit_message_reply_markup(change.chat.id, change.message_id, reply_markup=markup)


async def ask_consent(user: User, language: str, context: Context) -> None:
    """Asked once, of who sent the photo and in private: whether their photos may be kept to learn from."""
    yes = InlineKeyboardButton(say(language, "telegram.yes"), callback_data="consent:yes")
    no = InlineKeyboardButton(say(language, "telegram.no"), callback_data="consent:no")
    with contextlib.suppress(TelegramError):  # they may know the bot from a group only: there is /settings
        asked = say(language, "telegram.ask_consent")
        await context.bot.send_message(user.id, asked, reply_markup=InlineKeyboardMarkup([[yes, no]]))


async def on_consent(update: Update, context: Context) -> None:
    """The answer to that question."""
    tap = pressed(update)
    agreed = tap.argument == "yes"
    await context.ask(context.service.consent, tap.person, agreed)
    said = say(await context.language_of(tap.query.from_user), f"telegram.consent_{'given' if agreed else 'refused'}")
    await toast(tap.query)
    await rewrite(tap.query, said)
