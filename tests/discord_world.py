"""A Discord bot of ours on the small Discord server, with the real service on SQLite: fixtures for its tests.

`hand` captions at once what the service enqueues, by the database's own functions: "Sentence 1.", "Sentence 2.", ...
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from discord_server import DiscordServer

from bots.discord_bot import CaptionBot, create_bot
from bots.service import CaptionService
from bots.service_setup import create_service
from db import captions
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Caption
from settings import Settings
from worker.app import create_wakes

READY = 15.0  # seconds


class Hand:
    """Captions by hand. While `idle` nothing is done; `work` makes up for it."""

    def __init__(self, database_url: str, wakes: Any):
        self._sessions, self._wakes = sessions_of(create_engine(database_url)), wakes
        self.said = 0
        self.idle = False
        self.waiting: list[int] = []
        self.fails: str | None = None

    def enqueue(self, row: int) -> None:
        if self.idle:
            self.waiting.append(row)
        else:
            self._caption(row)

    def work(self) -> None:
        self.idle, waiting, self.waiting = False, self.waiting, []
        for row in waiting:
            self._caption(row)

    def _caption(self, row: int) -> None:
        self.said += 1
        text = f"Sentence {self.said}."
        result = captions.Result(
            text=text,
            confidence=0.8,
            hedged=False,
            is_photo=True,
            words=text.rstrip(".").lower().split(),
            alternatives=[],
            attention=None,
            model_version="by-hand",
            milliseconds=1.0,
            batch_size=1,
        )
        with self._sessions.begin() as session:
            captions.claim(session, row, "hand", timedelta(seconds=30))
            if self.fails:
                captions.fail(session, row, "hand", self.fails)
            else:
                captions.finish(session, row, "hand", result)
        self._wakes.notify({"discord": [row]})

    def rows(self) -> list[Caption]:
        with self._sessions() as session:
            return list(session.query(Caption).order_by(Caption.id))


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
        self.hand = Hand(self.settings.database_url, wakes)
        self.service: CaptionService = create_service(self.settings, enqueue=self.hand.enqueue, wakes=wakes)
        self.bot: CaptionBot | None = None

    async def start(self) -> None:
        self.bot = create_bot(self.service, self.settings)
        self._running = asyncio.create_task(self.bot.start(self.discord.token))
        sessions = len(self.discord.gateway.sessions)
        await self.discord.until(
            lambda: self._running.done() or (len(self.discord.gateway.sessions) > sessions and self._uploaded()), READY
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
