"""Handles messages without a command: direct messages, mentions of the bot, and photos in channels with /auto."""

import logging

import discord

from bots.discord.context import BotClient
from bots.discord.keys import channel_key, person_key, source_key
from bots.discord.media import Media, images_of, other_kind
from bots.discord.rendering import answer_text
from bots.discord.replies import send_direct_message
from bots.discord.reply_target import MessageTarget
from bots.discord.submissions import Refusals
from bots.i18n import DEFAULT, say
from bots.service.outages import when_available

log = logging.getLogger(__name__)


async def on_message(bot: BotClient, message: discord.Message) -> None:
    """Answer direct messages and mentions; in channels with /auto, describe photos that have no alt text."""
    if message.author.bot or message.webhook_id:
        return
    if message.guild is None or _mentioned(bot, message):
        await _answer(bot, message)
    elif images := [image for image in images_of(message) if not image.alt_text]:
        chat = await when_available(bot.service.chats.get, *_keys_of_switches(message.guild, message.channel))
        if chat.auto:
            target = MessageTarget.of(message, source_key(message.id), auto=True, remind=chat.remind_alt_text)
            refused = await _submit(bot, message, images, target)
            for error in refused.values():  # nobody asked, so nobody is told
                log.info("a photo of message %d is not captioned: %s", message.id, error)


def _keys_of_switches(guild: discord.Guild, channel: discord.abc.Snowflake) -> tuple[str, str | None]:
    """The key of the channel and, for a thread or a post of a forum, that of the channel it belongs to."""
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    return channel_key(guild.id, channel.id), channel_key(guild.id, parent) if parent else None


def _mentioned(bot: BotClient, message: discord.Message) -> bool:
    """Whether the text mentions the bot. A reply to the bot is in `message.mentions` too, but asks for nothing."""
    return bot.user is not None and any(f"<@{sign}{bot.user.id}>" in message.content for sign in ("", "!"))


async def _answer(bot: BotClient, message: discord.Message) -> None:
    try:
        await _describe(bot, message)
    except Exception:
        log.exception("message %d could not be answered", message.id)
        await _reply(bot, message, say(_locale(message), "discord.trouble"))


async def _describe(bot: BotClient, message: discord.Message) -> None:
    about, images = _images(message)
    if images:
        target = MessageTarget.of(message, source_key(message.id, about))
        refused = await _submit(bot, message, images, target)
        if not refused:
            return
        text = answer_text([], await _language_of(bot, message), refused=refused)
    else:
        help = "discord.help" if message.guild is None else "discord.mention_help"
        kind = other_kind(message, *_original(message))
        key = f"discord.no_image_but_{kind}" if kind else help
        text = say(await _language_of(bot, message), key)
    await _reply(bot, message, text)


async def _submit(bot: BotClient, message: discord.Message, images: list[Media], target: MessageTarget) -> Refusals:
    chat = channel_key(message.guild.id, message.channel.id) if message.guild else None
    return await bot.submissions.submit(images, target, sender=person_key(message.author.id), chat=chat)


def _images(message: discord.Message) -> tuple[int, list[Media]]:
    """The images that a message asks about: its own, or else those of the message that it replies to.

    Returns the id of the message that contains them, and the images.
    """
    for part in (message, *_original(message)):
        if images := images_of(part):
            return part.id, images
    return message.id, []


def _original(message: discord.Message) -> list[discord.Message]:
    """The message that this one replies to, if it can be seen."""
    original = message.reference.resolved if message.reference else None
    return [original] if isinstance(original, discord.Message) else []


async def _language_of(bot: BotClient, message: discord.Message) -> str:
    preferences = await when_available(bot.service.people.preferences, person_key(message.author.id))
    return preferences.language or _locale(message)


def _locale(message: discord.Message) -> str:
    return message.guild.preferred_locale.value if message.guild else DEFAULT


async def _reply(bot: BotClient, message: discord.Message, text: str) -> None:
    """Reply to the message, if it still exists. Where the bot may not write, its author gets a direct message."""
    reference = message.to_reference(fail_if_not_exists=False)
    try:
        await message.channel.send(text, reference=reference, nonce=message.id)
    except discord.Forbidden:
        await send_direct_message(bot, message.author.id, say(await _language_of(bot, message), "discord.forbidden"))
