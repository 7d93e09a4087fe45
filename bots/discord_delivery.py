"""Brings finished captions to Discord: to the interaction that asked, or as a reply. Once, however often it is tried.

The answer to an interaction is written over "captionbot is thinking", so writing it twice is harmless; other messages
carry a nonce, by which Discord knows one it already has.
"""

import asyncio
import time
from typing import TYPE_CHECKING

import discord

from bots.delivery import RetryLater, Sent, Undeliverable
from bots.discord_answers import LONGEST, answer_text, shorten
from bots.discord_buttons import answer_buttons
from bots.discord_places import ORIGINAL, answer_of, message_key, person_key
from bots.discord_talk import UNREACHABLE, say_in_private
from bots.texts import say
from bots.views import Delivery

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

GATHERING = 0.5  # seconds until an album is looked at again, while its photos come in
PAUSE = 5.0  # seconds after Discord could not be reached
EXPIRED = {10015, 10062, 50027}  # Discord's codes for an interaction whose token is no longer good


async def send(bot: "CaptionBot", delivery: Delivery) -> Sent:
    """Show captions. Raises RetryLater, Undeliverable."""
    source = delivery.reply_to["source"]
    if source in bot.intake.gathering:
        raise RetryLater(GATHERING)
    try:
        sent = await _send(bot, delivery)
    except (discord.RateLimited, discord.HTTPException, *UNREACHABLE) as error:
        if wait := _seconds_to_wait(error):
            raise RetryLater(wait) from None
        bot.intake.refused.pop(source, None)
        raise Undeliverable(f"Discord says: {error}") from None
    bot.intake.refused.pop(source, None)
    return Sent(message_key(sent.channel.id, sent.id))


def _seconds_to_wait(error: Exception) -> float | None:
    """Until it is worth another try; None if it never is."""
    if isinstance(error, discord.RateLimited):
        return error.retry_after
    if isinstance(error, discord.HTTPException) and error.status == 429:
        return float(error.response.headers.get("Retry-After", PAUSE))
    return PAUSE if isinstance(error, (discord.DiscordServerError, *UNREACHABLE)) else None


async def _send(bot: "CaptionBot", delivery: Delivery) -> discord.Message:
    reply_to = delivery.reply_to
    chosen = await asyncio.to_thread(bot.service.preferences, person_key(reply_to["user"]))
    language = chosen.language or reply_to["language"]
    content = answer_text(
        delivery.captions,
        language,
        refused=bot.intake.refused.get(reply_to["source"]),
        copy=reply_to.get("auto", False),
        remind=reply_to.get("remind", False),
    )
    view = answer_buttons(delivery.captions)
    if "token" not in reply_to:
        return await _reply(bot, delivery, content, view, language)
    if reply_to["until"] > time.time():
        try:
            return await answer_of(bot, reply_to).edit_message(ORIGINAL, content=content, view=view)
        except discord.HTTPException as error:
            if error.code not in EXPIRED:
                raise
    if reply_to["ephemeral"]:
        raise Undeliverable("the interaction has expired, and only its sender may read the answer")
    content = say(language, "discord.late", user=reply_to["user"], answer=content)
    return await _post(bot, delivery, shorten(content, LONGEST), view)


async def _reply(
    bot: "CaptionBot", delivery: Delivery, content: str, view: discord.ui.View | None, language: str
) -> discord.Message:
    """Under the message that asked. Discord refuses it if that was deleted meanwhile."""
    reply_to = delivery.reply_to
    reference = discord.MessageReference(message_id=reply_to["message"], channel_id=reply_to["channel"])
    try:
        return await _post(bot, delivery, content, view, reference=reference)
    except discord.Forbidden:
        if not reply_to.get("auto"):
            await say_in_private(bot, reply_to["user"], say(language, "discord.forbidden"))
        raise


async def _post(
    bot: "CaptionBot",
    delivery: Delivery,
    content: str,
    view: discord.ui.View | None,
    reference: discord.MessageReference | None = None,
) -> discord.Message:
    channel = bot.get_partial_messageable(delivery.reply_to["channel"])
    nonce = delivery.captions[0].id
    # Without a reference or a view the library wants these left out.
    more = ({"reference": reference} if reference else {}) | ({"view": view} if view else {})
    return await channel.send(content, nonce=nonce, **more)  # type: ignore[call-overload]
