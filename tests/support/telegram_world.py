"""Fixtures of the Telegram bot: it talks to the local Bot API server, and the real service works on SQLite.

`telegram_world.hand` captions what the service enqueues.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.service.service import CaptionService
from bots.service.setup import create_service
from bots.telegram.app import TelegramApplication, create_application
from bots.telegram.keys import FRONT_END, chat_key
from bots.telegram.run import serve
from settings import Settings
from tests.support.by_hand import Hand, close
from tests.support.telegram_server import TelegramServer
from worker.job_queue import create_notifier


class World:
    """The service and one bot, which can be stopped and started again."""

    def __init__(self, telegram: TelegramServer, folder: Path, **changes: Any):
        values: dict[str, Any] = {
            "data_dir": folder,
            "database_url": f"sqlite:///{folder}/test.db",
            "telegram_token": telegram.token,
            "telegram_api_url": telegram.url,
            "rate_limit": "1000/minute",
        }
        self.telegram = telegram
        self.settings = Settings(_env_file=None, **(values | changes))
        notifier = create_notifier(None)
        self.hand = Hand(self.settings.database_url, notifier, FRONT_END)
        self.service: CaptionService = create_service(self.settings, enqueue=self.hand.enqueue, notifier=notifier)
        self.application: TelegramApplication | None = None

    async def start(self) -> None:
        self.application = create_application(self.service, self.settings)
        self._running = asyncio.create_task(serve(self.application, self.settings))
        await self.telegram.wait_until(lambda: self._running.done() or self._listens())
        if self._running.done():
            self._running.result()

    def _listens(self) -> bool:
        assert self.application is not None
        return self.application.running and bool(
            self.telegram.calls_of("getUpdates", code=None) or self.telegram.webhook
        )

    async def stop(self) -> None:
        if self.application is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self.application = None
            self.telegram.calls = [call for call in self.telegram.calls if call.method != "getUpdates"]


def key_of(chat: dict[str, Any]) -> str:
    """The key of a person or group of the server, as the database has it."""
    return chat_key(chat["id"])


async def ask(
    telegram: TelegramServer, person: dict[str, Any], text: str, chat: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Send a text. Returns what the bot replies."""
    return await telegram.bot_reply(await telegram.send_text(person, text, chat))


def labels(message: dict[str, Any]) -> list[str]:
    """The labels of the inline keyboard under a message, in one list."""
    return [button["text"] for row in message["reply_markup"]["inline_keyboard"] for button in row]


def button_labels(message: dict[str, Any]) -> list[list[str]]:
    """The labels of the inline keyboard under a message, by row."""
    return [[button["text"] for button in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as telegram:
        yield telegram


@pytest.fixture
async def new_telegram_world(telegram: TelegramServer, tmp_path: Path, sqlite_file: Path) -> AsyncIterator[Any]:
    """new_telegram_world(rate_limit="1/hour"): one whose bot is not started yet."""
    shutil.copy(sqlite_file, tmp_path / "test.db")
    worlds = []

    def make(**changes: Any) -> World:
        worlds.append(World(telegram, tmp_path, **changes))
        return worlds[-1]

    yield make
    await close(*worlds)


@pytest.fixture
async def telegram_world(new_telegram_world: Any) -> World:
    """A bot that runs."""
    world: World = new_telegram_world()
    await world.start()
    return world
