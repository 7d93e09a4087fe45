"""Sends finished captions, as the response to an interaction or as a reply. Each is shown once, also after retries.

The response to an interaction is an edit of "captionbot is thinking", so a second one is harmless. Other messages have
a nonce, by which Discord recognises a message that it already has.
"""

import asyncio

import discord

from bots.delivery_loop import RetryLater, Sent, Undeliverable
from bots.discord.buttons import answer_buttons
from bots.discord.context import BotClient
from bots.discord.failures import UNREACHABLE, passes
from bots.discord.keys import message_key, source_key
from bots.discord.rendering import MAX_LENGTH, answer_text, truncate
from bots.discord.replies import answer_language, send_direct_message
from bots.discord.reply_target import ORIGINAL, MessageTarget, read_target
from bots.i18n import say
from bots.service.views import Delivery

INCOMPLETE_DELAY = 0.5  # seconds until a request is tried again whose images are still being submitted
DELAY = 5.0  # seconds until the next attempt after Discord could not be reached
EXPIRED = {10015, 10062, 50027}  # error codes of the Discord API: the token of the interaction has expired


async def send(bot: BotClient, delivery: Delivery) -> Sent:
    """Send a delivery. Raises RetryLater, Undeliverable."""
    source = read_target(delivery.reply_to).source
    if source in bot.submissions.incomplete:
        raise RetryLater(INCOMPLETE_DELAY)
    try:
        sent = await _send(bot, delivery)
    except (discord.RateLimited, discord.HTTPException, *UNREACHABLE) as error:
        if (delay := _retry_delay(error)) is not None:
            raise RetryLater(delay) from None
        bot.submissions.refused.pop(source, None)
        raise Undeliverable(f"Discord refused it: {error}") from None
    bot.submissions.refused.pop(source, None)
    return Sent(message_key(sent.channel.id, sent.id))


def _retry_delay(error: Exception) -> float | None:
    """Seconds until another attempt; None if no attempt can succeed."""
    if isinstance(error, discord.RateLimited):
        return error.retry_after
    if not passes(error):
        return None
    headers = error.response.headers if isinstance(error, discord.HTTPException) else {}
    try:
        return float(headers.get("Retry-After", DELAY))
    except ValueError:  # a date, from a proxy
        return DELAY


async def _send(bot: BotClient, delivery: Delivery) -> discord.Message:
    target = read_target(delivery.reply_to)
    language = await asyncio.to_thread(answer_language, bot.service, delivery.captions[0])
    content = answer_text(
        delivery.captions,
        language,
        refused=bot.submissions.refused.get(target.source),
        copy=isinstance(target, MessageTarget) and target.auto,
        remind=isinstance(target, MessageTarget) and target.remind,
    )
    view = answer_buttons(delivery.captions, language)
    if isinstance(target, MessageTarget):
        return await _reply(bot, delivery, target, content, view, language)
    if not target.expired:
        try:
            return await target.webhook(bot).edit_message(ORIGINAL, content=content, view=view)
        except discord.HTTPException as error:
            if error.code not in EXPIRED:
                raise
    if target.ephemeral:
        raise Undeliverable("the interaction has expired, and only the person who caused it may read the answer")
    content = say(language, "discord.late", user=target.user, answer=content)
    return await _post(bot, delivery, truncate(content, MAX_LENGTH), view)


async def _reply(
    bot: BotClient,
    delivery: Delivery,
    target: MessageTarget,
    content: str,
    view: discord.ui.View | None,
    language: str,
) -> discord.Message:
    """Reply to the message that asked, if it still exists.

    If it contained the photo and was deleted, nothing is sent: people expect the answer to go with the photo.
    """
    assert target.channel is not None, "a message has a channel"
    has_photo = target.source == source_key(target.message)
    reference = discord.MessageReference(
        message_id=target.message, channel_id=target.channel, fail_if_not_exists=has_photo
    )
    try:
        return await _post(bot, delivery, content, view, reference=reference)
    except discord.Forbidden as error:
        if not target.auto and not passes(error):
            await send_direct_message(bot, target.user, say(language, "discord.forbidden"))
        raise


async def _post(
    bot: BotClient,
    delivery: Delivery,
    content: str,
    view: discord.ui.View | None,
    reference: discord.MessageReference | None = None,
) -> discord.Message:
    channel_id = read_target(delivery.reply_to).channel
    if channel_id is None:
        raise Undeliverable("the interaction has expired, and its channel is not known")
    channel = bot.get_partial_messageable(channel_id)
    nonce = delivery.captions[0].id
    # `send` does not accept None for these two.
    optional = ({"reference": reference} if reference else {}) | ({"view": view} if view else {})
    return await channel.send(content, nonce=nonce, **optional)  # type: ignore[call-overload]
