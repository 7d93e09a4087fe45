"""Fixtures of the Discord bot: it talks to the local Discord server, and the real service works on SQLite.

`discord_world.hand` captions what the service enqueues.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bots.discord.client import CaptionBot, create_bot
from bots.service.service import CaptionService
from bots.service.setup import create_service
from settings import Settings
from tests.support.by_hand import Hand, close
from tests.support.discord_server import DiscordServer
from worker.job_queue import create_notifier

MANAGES = {"permissions": str(1 << 4)}  # channels


class World:
    """The server, the service and one bot, which can be stopped and started again."""

    def __init__(self, discord: DiscordServer, folder: Path, **changes: Any):
        values: dict[str, Any] = {
            "data_dir": folder,
            "database_url": f"sqlite:///{folder}/test.db",
            "discord_token": discord.token,
            "discord_api_url": discord.api,
            "discord_gateway_url": discord.gateway.url,
            "discord_message_content": discord.message_content,
            "rate_limit": "1000/minute",
        }
        self.discord = discord
        self.settings = Settings(_env_file=None, **(values | changes))
        notifier = create_notifier(None)
        self.hand = Hand(self.settings.database_url, notifier, "discord")
        self.service: CaptionService = create_service(self.settings, enqueue=self.hand.enqueue, notifier=notifier)
        self.bot: CaptionBot | None = None

    async def start(self) -> None:
        self.bot = create_bot(self.service, self.settings)
        self._running = asyncio.create_task(self.bot.start(self.discord.token))
        sessions = len(self.discord.gateway.sessions)
        await self.discord.until(
            lambda: self._running.done() or (len(self.discord.gateway.sessions) > sessions and self._uploaded())
        )
        if self._running.done():
            self._running.result()

    def _uploaded(self) -> bool:
        return bool(self.discord.commands)

    async def stop(self) -> None:
        if self.bot is not None:
            await self.bot.close()
            await asyncio.gather(self._running, return_exceptions=True)
            self.bot = None
            self.discord.gateway.sessions.clear()


async def sent(discord: DiscordServer, channel: str | None = None, count: int = 1) -> Any:
    """Wait for `count` messages of the bot in the channel."""
    return await discord.until(lambda: (found := discord.sent_to(channel or discord.channel))[count - 1 :] and found)


async def all_handled(discord: DiscordServer, discord_world: World, ada: Any) -> None:
    """Wait until the bot has handled all earlier events."""
    interaction = await discord.slash("help", ada)
    await discord.until(lambda: interaction.answer)


async def answer(discord: DiscordServer, interaction: Any) -> str:
    """Wait for the answer to a command. Returns its text."""
    await discord.until(lambda: interaction.answer)
    return interaction.answer["content"]


def mention(discord: DiscordServer) -> str:
    """The text of a message that asks the bot."""
    return f"<@{discord.bot['id']}> what is this?"


@pytest.fixture
def message_content_intent() -> bool:
    """Tests that use it have the message content intent."""
    return True


@pytest.fixture
async def discord(request: pytest.FixtureRequest) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(message_content="message_content_intent" in request.fixturenames) as discord:
        discord.acknowledge_seconds = 60  # the machine may be busy with other tests; test_discord_flood.py measures
        yield discord


@pytest.fixture
def discord_settings() -> dict[str, Any]:
    """Settings that differ from those of World. Test files override it."""
    return {}


@pytest.fixture
async def discord_world(
    discord: DiscordServer, tmp_path: Path, sqlite_file: Path, discord_settings: dict[str, Any]
) -> AsyncIterator[World]:
    """A running bot."""
    shutil.copy(sqlite_file, tmp_path / "test.db")
    world = World(discord, tmp_path, **discord_settings)
    await world.start()
    yield world
    await close(world)


@pytest.fixture
def photo(discord: DiscordServer, photo_bytes: Callable[..., bytes]) -> Any:
    """A photo that lies on Discord's servers, as an attachment."""
    return discord.upload(photo_bytes())
