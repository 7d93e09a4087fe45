"""Runs the Discord bot, uploads its commands, makes its invite links. What keeps it from starting is one sentence."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import discord

from bots.discord_talk import UNREACHABLE
from bots.discord_tree import create_tree, upload
from bots.errors import CannotStart
from bots.log_secrets import hide

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot
    from settings import Settings

CLOSING = 5.0  # seconds
PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True
)
NO_TOKEN = "DISCORD_TOKEN is not set. Make a bot at https://discord.com/developers/applications and copy its token."
WRONG_TOKEN = "Discord refuses DISCORD_TOKEN. Make a new one in the developer portal: Bot, Reset Token."
NO_INTENT = (
    "DISCORD_MESSAGE_CONTENT is on, but the bot may not read messages. Switch on Message Content Intent in the "
    "developer portal, under Bot, or take the setting away."
)


async def run(create_bot: Callable[[], "CaptionBot"], settings: "Settings") -> None:
    """Run until cancelled. Raises CannotStart for what a person has to put right.

    Ends too when Discord sends an event that discord.py cannot read: then it has to be run again.
    """
    token = _token(settings)
    bot = create_bot()
    try:
        async with bot:
            running = asyncio.create_task(bot.start(token))
            try:
                await asyncio.shield(running)
            finally:  # not by cancelling it: while it reconnects, discord.py does not hear of that
                await bot.close()
                await asyncio.wait({running}, timeout=CLOSING)
                running.cancel()  # it would try to connect for ever
    except Exception as error:
        if sentence := in_a_sentence(error, settings):
            raise CannotStart(sentence) from None
        raise


def in_a_sentence(error: Exception, settings: "Settings") -> str | None:
    """What is wrong and what to do, for what people can put right."""
    if isinstance(error, discord.LoginFailure):
        return WRONG_TOKEN
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return NO_INTENT
    if isinstance(error, discord.ConnectionClosed):
        if error.code == 4004:
            return WRONG_TOKEN
        return f"Discord closed the connection with code {error.code}. Look at DISCORD_SHARDS and DISCORD_GATEWAY_URL."
    if isinstance(error, discord.DiscordServerError):
        return f"Discord has trouble of its own (HTTP {error.status}). Try again later."
    if isinstance(error, (discord.GatewayNotFound, *UNREACHABLE)):
        url = settings.discord_api_url
        return f"Discord cannot be reached at {url}. Is this machine online? Is DISCORD_API_URL right?"
    return None


def _token(settings: "Settings") -> str:
    if settings.discord_token is None:
        raise CannotStart(NO_TOKEN)
    token = settings.discord_token.get_secret_value()
    hide(token)
    return token


async def sync(settings: "Settings") -> int:
    """Upload the list of commands. Returns how many there are. Raises CannotStart."""
    async with _logged_in(settings) as client:
        return await upload(create_tree(client), settings)


async def invite(settings: "Settings") -> tuple[str, str]:
    """Links that add the bot to a server, and to a person's own apps. Raises CannotStart."""
    async with _logged_in(settings) as client:
        assert client.application_id is not None
        server = discord.utils.oauth_url(
            client.application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
        )
        person = discord.utils.oauth_url(client.application_id, scopes=("applications.commands",))
        return f"{server}&integration_type=0", f"{person}&integration_type=1"


@asynccontextmanager
async def _logged_in(settings: "Settings") -> AsyncIterator[discord.Client]:
    """A client that can call the API, without listening to anything."""
    from bots.discord_bot import prepare

    prepare(settings)
    try:
        async with discord.Client(intents=discord.Intents(guilds=True)) as client:
            await client.login(_token(settings))
            yield client
    except Exception as error:
        if sentence := in_a_sentence(error, settings):
            raise CannotStart(sentence) from None
        raise
