"""Runs the Discord bot, uploads its commands, and makes its invite links. Errors that people can fix are explained."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import discord

from bots.discord.command_tree import create_tree, upload
from bots.discord.failures import UNREACHABLE
from bots.errors import CannotStart
from bots.log_redaction import hide_secret
from bots.proxies import proxy_of, through_proxy
from settings.messages import without_credentials

if TYPE_CHECKING:
    from bots.discord.client import CaptionBot
    from settings import Settings

SHUTDOWN_TIMEOUT = 5.0  # seconds until a client that does not stop is cancelled
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
    """Run until cancelled. Raises CannotStart for errors that a person has to fix.

    It also ends when Discord sends an event that discord.py cannot parse. It then has to be started again.
    """
    token = _token(settings)
    bot = create_bot()
    try:
        async with bot:
            running = asyncio.create_task(bot.start(token))
            try:
                await asyncio.shield(running)
            finally:  # `start` is not cancelled, because discord.py ignores that while it reconnects
                await bot.close()
                await asyncio.wait({running}, timeout=SHUTDOWN_TIMEOUT)
                running.cancel()  # otherwise it would reconnect forever
    except Exception as error:
        if message := explain(error, settings):
            raise CannotStart(message) from None
        raise


def explain(error: Exception, settings: "Settings") -> str | None:
    """What is wrong and what to do about it; None for errors that only a developer can fix."""
    if isinstance(error, discord.LoginFailure):
        return WRONG_TOKEN
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return NO_INTENT
    if isinstance(error, discord.ConnectionClosed):
        if error.code == 4004:
            return WRONG_TOKEN
        return f"Discord closed the connection with code {error.code}. Check DISCORD_SHARDS and DISCORD_GATEWAY_URL."
    if isinstance(error, discord.DiscordServerError):
        return f"Discord's servers fail with HTTP {error.status}. Try again later."
    if isinstance(error, (discord.GatewayNotFound, *UNREACHABLE)):
        url = settings.discord_api_url
        return (
            f"Discord cannot be reached at {without_credentials(url)}{through_proxy(url)}. Is this machine online? "
            "Is DISCORD_API_URL right?"
        )
    return None


def _token(settings: "Settings") -> str:
    if settings.discord_token is None:
        raise CannotStart(NO_TOKEN)
    token = settings.discord_token.get_secret_value()
    hide_secret(token)
    return token


async def sync(settings: "Settings") -> int:
    """Upload all commands. Returns their number. Raises CannotStart."""
    async with _logged_in(settings) as client:
        return await upload(create_tree(client), settings)


async def invite(settings: "Settings") -> tuple[str, str]:
    """The links that install the bot in a server, and for a person. Raises CannotStart."""
    async with _logged_in(settings) as client:
        assert client.application_id is not None
        server = discord.utils.oauth_url(
            client.application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
        )
        person = discord.utils.oauth_url(client.application_id, scopes=("applications.commands",))
        return f"{server}&integration_type=0", f"{person}&integration_type=1"


@asynccontextmanager
async def _logged_in(settings: "Settings") -> AsyncIterator[discord.Client]:
    """A client that can call the API, and is not connected to the gateway."""
    from bots.discord.client import prepare

    prepare(settings)
    try:
        intents, proxy = discord.Intents(guilds=True), proxy_of(settings.discord_api_url)
        async with discord.Client(intents=intents, proxy=proxy) as client:
            await client.login(_token(settings))
            yield client
    except Exception as error:
        if message := explain(error, settings):
            raise CannotStart(message) from None
        raise
