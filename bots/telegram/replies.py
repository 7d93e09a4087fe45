"""Sends and edits messages in reply to updates, and handles errors: log first, then tell the person in one sentence."""

import contextlib
import logging
import re
import time
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, ReplyParameters, Update
from telegram.constants import CallbackQueryLimit
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bots.errors import Later, NotFetched, UserError
from bots.i18n import say
from bots.telegram.context import Context, message_of

log = logging.getLogger(__name__)

NOTICE_TIMEOUT = 30.0  # seconds, at most, until a chat is told again that it must wait
MAX_NOTICES = 1000  # chats to remember


async def reply(update: Update, text: str, **kwargs: Any) -> None:
    """Reply to the update's message; if it was deleted meanwhile, without a reference.

    In a group that has become a supergroup meanwhile, the text is sent to that.
    """
    message = message_of(update)
    try:
        await message.reply_text(text, do_quote=True, **kwargs)
    except ChatMigrated as error:
        await message.get_bot().send_message(error.new_chat_id, text, **kwargs)


def only_as_reply(message_id: int) -> ReplyParameters:
    """A reply that fails if its message was deleted. Others are then sent without a reference (Defaults, app.py)."""
    return ReplyParameters(message_id, allow_sending_without_reply=False)


def is_reply_missing(error: BadRequest) -> bool:
    """Whether a message could not be sent because the one that it replies to was deleted."""
    return re.search(r"(reply|replied)\b.* not found", error.message, re.IGNORECASE) is not None


async def answer_query(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer a callback query, as each one must be. It may have expired, for example while the bot was down."""
    with contextlib.suppress(BadRequest):
        limit = CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH
        await query.answer(text and text[:limit], show_alert=alert)


async def edit_text(query: CallbackQuery, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
    """Change the message whose button was pressed. It stays if it reads so already, or is too old to edit."""
    with contextlib.suppress(BadRequest):
        await query.edit_message_text(text, reply_markup=keyboard)


async def edit_keyboard(query: CallbackQuery, keyboard: InlineKeyboardMarkup | None, context: Context) -> None:
    """Change the buttons of the message. Best effort: what was pressed is in the database already."""
    message = query.message
    if message and context.state.rate_limiter.has_capacity(message.chat.id):
        try:
            await query.edit_message_reply_markup(keyboard)
        except TelegramError as error:
            log.debug("a keyboard could not be changed: %s", error)


async def on_error(update: object, context: Context) -> None:
    """The application's error handler: retry the update, or log the error and tell the person."""
    error = context.error
    assert error is not None, "the library calls error handlers with an error"
    if not isinstance(update, Update):
        log.error("the Telegram bot failed", exc_info=error)
        return
    if context.state.update_queue.schedule_retry(update, error):
        return
    if isinstance(error, UserError):
        if isinstance(error, Later) and _was_notified(update, context, error):
            return
        if isinstance(error, NotFetched):
            log.warning("update %d: the photo could not be fetched: %s", update.update_id, error.__cause__)
    elif isinstance(error, ChatMigrated):
        log.info("update %d comes from a group that has become a supergroup", update.update_id)
        return
    elif isinstance(error, TelegramError):  # the bot was blocked, or the network fails for too long
        log.warning("update %d: Telegram refuses: %s", update.update_id, error)
    else:
        log.error("update %d failed", update.update_id, exc_info=error)
    with contextlib.suppress(TelegramError):
        await _notify(update, context, error)


def _was_notified(update: Update, context: Context, error: Later) -> bool:
    """Whether the chat was told a moment ago that it must wait. It is not told again for each further photo."""
    if update.callback_query or not update.effective_chat:
        return False
    notices, chat, now = context.state.wait_notices, update.effective_chat.id, time.monotonic()
    if now < notices.get(chat, now):
        return True
    if len(notices) > MAX_NOTICES:
        notices.clear()
    notices[chat] = now + min(error.retry_after, NOTICE_TIMEOUT)
    return False


async def _notify(update: Update, context: Context, error: Exception) -> None:
    language = await context.language_of(update.effective_user)
    text = error.translated(language) if isinstance(error, UserError) else say(language, "telegram.trouble")
    if query := update.callback_query:
        await answer_query(query, text, alert=True)
    elif update.effective_message:
        await reply(update, text)
