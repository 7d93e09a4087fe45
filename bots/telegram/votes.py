"""Handlers of votes: by button, or by a reaction to an answer of any age. Removing the reaction removes the vote."""

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
from bots.i18n import say
from bots.service.service import CaptionService
from bots.service.views import CaptionView, VoteCount
from bots.telegram.buttons import button_press
from bots.telegram.context import Context
from bots.telegram.keys import callback_data, message_key, person_key
from bots.telegram.rendering import album_keyboard, caption_keyboard
from bots.telegram.replies import answer_query, edit_keyboard, edit_text

ACTION_VALUES = {"up": 1, "down": -1}
REACTION_VALUES = {"👍": 1, "👎": -1}


async def on_vote(update: Update, context: Context) -> None:
    """The thumbs under a caption: "up", "down", or "undo" on the thumb that the person has given already."""
    press, feedback = button_press(update), context.service.feedback
    caption = await context.to_thread(
        context.service.captions.get, press.argument, person=press.person, chat=press.chat
    )
    if press.action == "undo":
        votes = await context.to_thread(feedback.unvote, press.argument, person=press.person, chat=press.chat)
        answer = "telegram.vote_taken_back"
    else:
        value = ACTION_VALUES[press.action]
        votes = await context.to_thread(
            feedback.vote, press.argument, person=press.person, value=value, chat=press.chat
        )
        answer = "telegram.vote_counted"
    language = await context.language_of(press.query.from_user)
    await answer_query(press.query, say(language, answer))
    buttons = await context.language_of_answer(caption)
    keyboard = caption_keyboard(press.argument, votes, buttons, private=press.private, in_album=press.in_album)
    await edit_keyboard(press.query, keyboard, context)
    if votes.ask_consent:
        await ask_for_consent(press.query.from_user, language, context)


async def on_reaction(update: Update, context: Context) -> None:
    """A reaction to a message was added, changed or removed."""
    reaction = update.message_reaction
    assert reaction is not None, "reaction handlers get updates with a reaction"
    if reaction.user is None or reaction.user.is_bot:
        return  # anonymous, or no person
    value, old_value = _vote_value(reaction.new_reaction), _vote_value(reaction.old_reaction)
    if value == old_value:
        return
    message = message_key(reaction.chat.id, reaction.message_id)
    captions = await context.captions_in_message(message)
    votes = await context.to_thread(_vote_for_all, context.service, captions, reaction.user, value, old_value)
    await _update_keyboard(reaction, message, votes, context)
    if any(count.ask_consent for count in votes):
        await ask_for_consent(reaction.user, await context.language_of(reaction.user), context)


def _vote_value(reactions: Sequence[ReactionType]) -> int:
    """1, -1, or 0 for no thumb. Of several thumbs the one that was added last counts; it comes last."""
    values = [REACTION_VALUES.get(one.emoji, 0) for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return next((value for value in reversed(values) if value), 0)


def _vote_for_all(
    service: CaptionService, captions: Sequence[CaptionView], user: User, value: int, old_value: int
) -> list[VoteCount]:
    """Vote for all captions in a message, or take those votes back that the old reaction gave."""
    person, votes = person_key(user), []
    for caption in captions:
        try:
            if value:
                votes.append(service.feedback.vote(caption.id, person=person, value=value, chat=caption.chat))
            elif service.captions.get(caption.id, person=person, chat=caption.chat).votes.mine == old_value:
                votes.append(service.feedback.unvote(caption.id, person=person, chat=caption.chat))
        except UserError:
            pass  # the caption failed, or was removed meanwhile; there is no way to answer a reaction
    return votes


async def _update_keyboard(
    reaction: MessageReactionUpdated, message: str, votes: Sequence[VoteCount], context: Context
) -> None:
    """Show the new counts in the buttons under the message."""
    if not votes or not context.state.rate_limiter.has_capacity(reaction.chat.id):
        return
    captions = await context.to_thread(context.service.captions.by_message, message)
    if len(captions) == 1:
        private = reaction.chat.type == Chat.PRIVATE
        language = await context.language_of_answer(captions[0])
        keyboard: InlineKeyboardMarkup | None = caption_keyboard(captions[0].id, votes[0], language, private=private)
    else:
        keyboard = album_keyboard(captions)
    with contextlib.suppress(TelegramError):  # unchanged, or the message is gone; the vote counts all the same
        await context.bot.edit_message_reply_markup(reaction.chat.id, reaction.message_id, reply_markup=keyboard)


async def ask_for_consent(user: User, language: str, context: Context) -> None:
    """Ask the sender of a photo, once and in private, whether their photos may be kept for training."""
    yes = InlineKeyboardButton(say(language, "telegram.yes"), callback_data=callback_data("consent", "yes"))
    no = InlineKeyboardButton(say(language, "telegram.no"), callback_data=callback_data("consent", "no"))
    with contextlib.suppress(TelegramError):  # the bot cannot write to people who never started it; they have /settings
        question = say(language, "telegram.ask_consent")
        await context.bot.send_message(user.id, question, reply_markup=InlineKeyboardMarkup([[yes, no]]))


async def on_consent(update: Update, context: Context) -> None:
    """The answer to that question."""
    press = button_press(update)
    agreed = press.argument == "yes"
    await context.to_thread(context.service.people.set_consent, press.person, agreed)
    language = await context.language_of(press.query.from_user)
    await answer_query(press.query)
    await edit_text(press.query, say(language, f"telegram.consent_{'given' if agreed else 'refused'}"))
