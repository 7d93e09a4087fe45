"""A Discord bot of ours on the small Discord server, with the real service on SQLite: fixtures for its tests.

`world.hand` captions what the service enqueues.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from by_hand import Hand
from discord_server import DiscordServer

from bots.discord_bot import CaptionBot, create_bot
from bots.service import CaptionService
from bots.service_setup import create_service
from settings import Settings
from worker.app import create_wakes


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
        wakes = create_wakes(None)
        self.hand = Hand(self.settings.database_url, wakes, "discord")
        self.service: CaptionService = create_service(self.settings, enqueue=self.hand.enqueue, wakes=wakes)
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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def reading() -> bool:
    """Tests that use it have the message content intent."""
    return True


@pytest.fixture
async def discord(request: pytest.FixtureRequest) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(message_content="reading" in request.fixturenames) as discord:
        discord.acknowledge_seconds = 60  # the machine may be busy with other tests; test_discord_flood.py measures
        yield discord


@pytest.fixture
def settings_of_world() -> dict[str, Any]:
    """Tests that need others say so."""
    return {}


@pytest.fixture
async def world(
    discord: DiscordServer, tmp_path: Path, sqlite_file: Path, settings_of_world: dict[str, Any]
) -> AsyncIterator[World]:
    """A bot that runs."""
    shutil.copy(sqlite_file, tmp_path / "test.db")
    world = World(discord, tmp_path, **settings_of_world)
    await world.start()
    yield world
    await world.stop()
