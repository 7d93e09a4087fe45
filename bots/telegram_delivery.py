"""Brings finished captions to Telegram, as replies to the photos. What cannot be sent now stays in the database."""

import asyncio
from typing import Any

from telegram import Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter

from bots.delivery import RetryLater, Sent, Undeliverable
from bots.telegram_answers import answer
from bots.telegram_context import Bot, Parts, message_key
from bots.telegram_intake import seconds_of
from bots.views import Delivery

GATHERING = 0.5  # seconds until an album is looked at again, while its photos come in
PAUSE = 3.0  # seconds after Telegram could not be reached, or while a group has no room


async def send(bot: Bot, parts: Parts, delivery: Delivery) -> Sent:
    """Show captions. Raises RetryLater, Undeliverable.

    A send whose answer does not arrive is tried again: Telegram has no way to tell whether it has it already.
    """
    if parts.intake.is_gathering(delivery.reply_to.get("album")):
        raise RetryLater(GATHERING)
    if not parts.limiter.has_room(delivery.reply_to["chat"]):
        raise RetryLater(PAUSE)  # waiting here could outlast the lease, and then two would send
    try:
        return Sent(message_key(await _send(bot, parts, delivery)))
    except RetryAfter as error:
        raise RetryLater(seconds_of(error)) from None
    except (Forbidden, BadRequest) as error:  # blocked, removed from the group, the photo's message deleted
        raise Undeliverable(str(error)) from None
    except (NetworkError, InvalidToken) as error:
        raise RetryLater(PAUSE) from error


async def _send(bot: Bot, parts: Parts, delivery: Delivery) -> Message:
    reply_to = delivery.reply_to
    chosen = await asyncio.to_thread(parts.service.preferences, delivery.sender)
    text, markup = answer(delivery.captions, chosen.language or reply_to["language"], private=delivery.chat is None)
    said: dict[str, Any] = {"text": text, "reply_markup": markup}
    where = {"message_thread_id": reply_to["thread"], "reply_parameters": ReplyParameters(reply_to["message"])}
    try:
        return await bot.send_message(reply_to["chat"], **said, **where)
    except ChatMigrated as moved:  # the group is a supergroup now, where its old messages have no numbers
        return await bot.send_message(moved.new_chat_id, **said)
