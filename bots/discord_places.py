"""Names of people, chats and messages on Discord as the service keeps them, and addresses for answers."""

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import discord

from bots.texts import language

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

Interaction: TypeAlias = "discord.Interaction[CaptionBot]"
ORIGINAL: int = "@original"  # type: ignore[assignment]  # Discord's name for the message that answers an interaction
TOKEN_SECONDS = 15 * 60 - 15  # an interaction can be answered for so long, less a margin


def person_key(user_id: int) -> str:
    return f"discord:{user_id}"


def message_key(channel_id: int, message_id: int) -> str:
    return f"discord:{channel_id}/{message_id}"


def parse_message(key: str) -> tuple[int, int]:
    """Ids of channel and message."""
    channel, message = key.removeprefix("discord:").split("/")
    return int(channel), int(message)


def chat_of(interaction: Interaction) -> str | None:
    """The chat that others share; None in a direct message with the bot."""
    if interaction.guild_id:
        return f"discord:{interaction.guild_id}/{interaction.channel_id}"
    return f"discord:@me/{interaction.channel_id}" if interaction.context.private_channel else None


def reply_to_interaction(interaction: Interaction, *, ephemeral: bool) -> dict[str, Any]:
    """Where the answer goes: to the interaction while its token lives, and then to the channel if all may read it."""
    return {
        "application": interaction.application_id,
        "token": interaction.token,
        "until": time.time() + TOKEN_SECONDS,
        "ephemeral": ephemeral,
        "channel": interaction.channel_id,
        "user": interaction.user.id,
        "language": language(interaction.locale.value),
    }


def answer_of(client: discord.Client, reply_to: dict[str, Any]) -> discord.Webhook:
    """What edits the answer to an interaction, also after a restart; by the name ORIGINAL."""
    return discord.Webhook.partial(reply_to["application"], reply_to["token"], client=client)


def reply_to_message(message: discord.Message) -> dict[str, Any]:
    locale = message.guild.preferred_locale.value if message.guild else None
    return {
        "channel": message.channel.id,
        "message": message.id,
        "user": message.author.id,
        "language": language(locale),
    }
