"""Clients of the local Bot API server: the real library, and plain calls that the real API refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from telegram import Bot

from tests.support.telegram_server import TelegramServer


@pytest.fixture
async def bot(telegram: TelegramServer) -> AsyncIterator[Bot]:
    async with make_bot(telegram) as bot:
        yield bot


def make_bot(telegram: TelegramServer, token: str = "") -> Bot:
    urls = {"base_url": f"{telegram.url}/bot", "base_file_url": f"{telegram.url}/file/bot"}
    return Bot(token or telegram.token, **urls)


async def call(telegram: TelegramServer, method: str, **params: object) -> dict[str, Any]:
    """Call a method without the library."""
    url = f"{telegram.url}/bot{telegram.token}/{method}"
    async with aiohttp.ClientSession() as http, http.post(url, json=params) as answer:
        body = await answer.json()
        assert answer.status == body.get("error_code", 200)
        return body


async def refused(telegram: TelegramServer, method: str, **params: object) -> str:
    body = await call(telegram, method, **params)
    assert not body["ok"]
    return body["description"]
