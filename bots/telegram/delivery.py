"""Sends finished captions as replies to the photos. What cannot be sent now stays in the database."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from telegram import Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bots.delivery_loop import RetryLater, Sent, Undeliverable
from bots.service.views import Delivery
from bots.telegram.context import AppState, Bot, answer_language
from bots.telegram.failures import seconds_until_retry
from bots.telegram.keys import chat_key, message_key
from bots.telegram.rendering import render_answer
from bots.telegram.replies import is_reply_missing, only_as_reply
from bots.telegram.reply_target import ReplyTarget

ALBUM_DELAY = 0.5  # seconds until an album whose photos are still coming in is tried again
DELAY = 3.0  # seconds after Telegram could not do it, or while the limit of a group is used up


async def send(bot: Bot, state: AppState, delivery: Delivery) -> Sent:
    """Send the answer for one photo or album.

    When the response to a send is lost, the send is repeated: the Bot API has no way to ask whether it arrived.

    Raises:
        RetryLater: the album is incomplete, a limit is used up, or Telegram cannot be reached.
        Undeliverable: Telegram will never accept it.
    """
    target = ReplyTarget.from_json(delivery.reply_to)
    if state.update_queue.is_album_incomplete(target.album):
        raise RetryLater(ALBUM_DELAY)
    if not state.rate_limiter.has_capacity(target.chat):
        raise RetryLater(DELAY)  # waiting here could outlast the lease, and another process would send it too
    try:
        sent = await _send(bot, state, delivery, target)
    except TelegramError as error:
        if (delay := seconds_until_retry(error)) is None:  # blocked, or removed from the group
            raise Undeliverable(str(error)) from None
        raise RetryLater(delay or DELAY) from error
    return Sent(message_key(sent.chat_id, sent.message_id))


async def _send(bot: Bot, state: AppState, delivery: Delivery, target: ReplyTarget) -> Message:
    language = await asyncio.to_thread(answer_language, state.service, delivery.captions[0])
    content = render_answer(delivery.captions, language, private=delivery.chat is None)
    try:
        return await _reply_to_first(
            [ReplyTarget.from_json(caption.reply_to).message for caption in delivery.captions],
            lambda reply: bot.send_message(
                target.chat, **content, message_thread_id=target.thread, reply_parameters=reply
            ),
        )
    except ChatMigrated as error:  # the group is a supergroup now, and there its old messages cannot be replied to
        await asyncio.to_thread(state.service.chats.move, chat_key(target.chat), chat_key(error.new_chat_id))
        return await bot.send_message(error.new_chat_id, **content)


async def _reply_to_first(
    photos: Sequence[int], send_reply: Callable[[ReplyParameters], Coroutine[Any, Any, Message]]
) -> Message:
    """Reply to the first of these messages that was not deleted. If all were, send without a reference."""
    for photo in photos[:-1]:
        try:
            return await send_reply(only_as_reply(photo))
        except BadRequest as error:
            if not is_reply_missing(error):
                raise
    return await send_reply(ReplyParameters(photos[-1]))
