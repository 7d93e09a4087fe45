"""Saying things to people, and what happens when a handler fails: first log, then tell the person, in a sentence."""

import contextlib
import logging
import time
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Forbidden, TelegramError

from bots.errors import Later, UserError
from bots.telegram_context import Context, message_of
from bots.texts import say

log = logging.getLogger(__name__)

LONGEST_TOAST = 200  # characters
ENOUGH = 30.0  # seconds for which a chat remembers that it must wait
MOST_TOLD = 1000  # chats of which that is known


async def reply(update: Update, text: str, **more: Any) -> None:
    """Answer a message where it stands."""
    await message_of(update).reply_text(text, do_quote=True, **more)


async def toast(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer a button, which every one of them needs. Too late is no error: the bot was down when it was pressed."""
    with contextlib.suppress(BadRequest):
        await query.answer(text and text[:LONGEST_TOAST], show_alert=alert)


async def rewrite(query: CallbackQuery, text: str, markup: InlineKeyboardMarkup | None = None) -> None:
    """Change the message of a button. If it says that already, or is too old for that, it stays."""
    with contextlib.suppress(BadRequest):
        await query.edit_message_text(text, reply_markup=markup)


async def show_buttons(query: CallbackQuery, markup: InlineKeyboardMarkup | None, context: Context) -> None:
    """Change the buttons of the message. They are a courtesy: what was pressed is in the database by now."""
    message = query.message
    if message and context.parts.limiter.has_room(message.chat.id):
        try:
            await query.edit_message_reply_markup(markup)
        except TelegramError as error:
            log.debug("buttons stay as they are: %s", error)


async def on_error(update: object, context: Any) -> None:
    """The error handler of all the others."""
    error = context.error
    if not isinstance(update, Update):
        log.error("the Telegram bot failed", exc_info=error)
        return
    if isinstance(error, UserError):
        if _was_told(update, context, error):
            return
    elif context.parts.intake.comes_again(update, error):
        return
    elif isinstance(error, (BadRequest, Forbidden)):  # somebody blocked the bot, or deleted what it answers
        log.warning("update %d: Telegram refuses: %s", update.update_id, error)
    else:
        log.error("update %d failed", update.update_id, exc_info=error)
    with contextlib.suppress(TelegramError):
        await _tell(update, context, error)


def _was_told(update: Update, context: Context, error: UserError) -> bool:
    """Whether a chat has just heard that it must wait: it need not hear so for every photo."""
    if not isinstance(error, Later) or update.callback_query or not update.effective_chat:
        return False
    told, chat, at = context.parts.told_to_wait, update.effective_chat.id, time.monotonic()
    if at < told.get(chat, at):
        return True
    if len(told) > MOST_TOLD:
        told.clear()
    told[chat] = at + min(error.retry_after, ENOUGH)
    return False


async def _tell(update: Update, context: Context, error: Exception) -> None:
    language = await context.language_of(update.effective_user)
    said = error.said(language) if isinstance(error, UserError) else say(language, "telegram.trouble")
    if query := update.callback_query:
        await toast(query, said, alert=True)
    elif update.effective_message:
        await reply(update, said)
