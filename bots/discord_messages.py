"""Messages with photos that nobody used a command for: in private, with a mention, in channels with /auto."""

import asyncio
import logging
from typing import TYPE_CHECKING

import discord

from bots.discord_answers import answer_text
from bots.discord_pictures import Picture, pictures_of
from bots.discord_places import person_key
from bots.discord_talk import say_in_private
from bots.texts import DEFAULT, say

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

log = logging.getLogger(__name__)


async def on_message(bot: "CaptionBot", message: discord.Message) -> None:
    """Private messages and mentions are answered whatever is in them; in channels only photos without alt text."""
    if message.author.bot or message.webhook_id:
        return
    if message.guild is None or _mentioned(bot, message):
        await _answer(bot, message)
    elif found := [picture for picture in pictures_of(message) if not picture.alt]:
        chosen = await asyncio.to_thread(bot.service.chat, f"discord:{message.guild.id}/{message.channel.id}")
        if chosen.auto:
            remind = chosen.remind_alt_text
            refused = await bot.intake.take(message, found, about=message.id, auto=True, remind=remind)
            for error in refused.values():  # nobody asked, so nobody is told
                log.info("message %d is not captioned: %s", message.id, error)


def _mentioned(bot: "CaptionBot", message: discord.Message) -> bool:
    """By name in the text: an answer to the bot's message mentions it too, but asks for nothing."""
    return bot.user is not None and any(f"<@{sign}{bot.user.id}>" in message.content for sign in ("", "!"))


async def _answer(bot: "CaptionBot", message: discord.Message) -> None:
    try:
        await _asked(bot, message)
    except Exception:
        log.exception("message %d could not be answered", message.id)
        await _reply(bot, message, say(_locale(message), "discord.trouble"))


async def _asked(bot: "CaptionBot", message: discord.Message) -> None:
    about, found = _photos(message)
    if found:
        refused = await bot.intake.take(message, found, about=about)
        if not refused:
            return
        said = answer_text([], await _language(bot, message), refused=refused)
    else:
        key = "discord.help" if message.guild is None else "discord.mention_help"
        said = say(await _language(bot, message), key)
    await _reply(bot, message, said)


def _photos(message: discord.Message) -> tuple[int, list[Picture]]:
    """The message's own photos, or those of the message that it replies to, and the id of that one."""
    original = message.reference.resolved if message.reference else None
    if not (found := pictures_of(message)) and isinstance(original, discord.Message):
        return original.id, pictures_of(original)
    return message.id, found


async def _language(bot: "CaptionBot", message: discord.Message) -> str:
    chosen = await asyncio.to_thread(bot.service.preferences, person_key(message.author.id))
    return chosen.language or _locale(message)


def _locale(message: discord.Message) -> str:
    return message.guild.preferred_locale.value if message.guild else DEFAULT


async def _reply(bot: "CaptionBot", message: discord.Message, said: str) -> None:
    """Under the message; where the bot may not write, to its author in private, as far as they allow that."""
    try:
        await message.reply(said, nonce=message.id)
    except discord.Forbidden:
        await say_in_private(bot, message.author.id, say(await _language(bot, message), "discord.forbidden"))
