"""Tests of many photos at once, and of a SIGKILL, with bot and worker as processes on PostgreSQL and Redis.

`pytest tests/test_telegram_flood.py -s` shows how long people waited, and how many answers came twice.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Caption, now
from tests.support.processes import PATIENCE, Installation, Process
from tests.support.telegram_flood import flood, send_photos
from tests.support.telegram_server import TelegramServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as telegram:
        yield telegram


@pytest.fixture
def reached(telegram) -> dict[str, Any]:
    """Settings of a bot that uses the local Bot API server."""
    return {"telegram_token": telegram.token, "telegram_api_url": telegram.url}


@pytest.fixture
async def bot(distributed: Installation, reached: dict[str, Any]) -> Process:
    """It listens, and its worker is ready."""
    worker, bot = distributed.start("worker"), distributed.start("telegram", **reached)
    await asyncio.to_thread(worker.wait_for_log, "the worker is ready")
    await asyncio.to_thread(bot.wait_for_log, "listens")
    return bot


async def test_every_photo_of_a_flood_is_answered_once_in_its_chat(telegram, bot):
    figures = await flood(telegram, photos=60, chats=20)
    print(f"\n{figures}")
    assert len(figures.answered) == 60
    assert (figures.unanswered, figures.twice, figures.astray) == (0, 0, 0)


async def test_all_photos_are_answered_after_a_sigkill_and_only_unconfirmed_sends_repeat(
    telegram, distributed, reached, bot
):
    telegram.add_fault("sendMessage", seconds=0.3, times=10_000)
    sent = await send_photos(telegram, 50, 50)
    await telegram.wait_until(lambda: len(telegram.calls_of("sendMessage")) >= 25, PATIENCE)
    bot.kill()
    await asyncio.sleep(1)
    out = {number for number, (message, _) in sent.items() if telegram.bot_replies(message)}
    telegram.faults.clear()
    engine = create_engine(distributed.settings().database_url)
    with sessions_of(engine).begin() as session:
        shown = session.scalars(select(Caption).where(Caption.delivered_at.is_not(None)))
        confirmed = {row.reply_to["message"] for row in shown}
        session.execute(update(Caption).values(delivery_lease_until=now() - timedelta(seconds=1)))  # a minute later
    engine.dispose()
    distributed.start("telegram", **reached)
    await telegram.wait_until(lambda: all(telegram.bot_replies(message) for message, _ in sent.values()), PATIENCE)
    await telegram.all_confirmed()
    repeated = {number for number, (message, _) in sent.items() if len(telegram.bot_replies(message)) > 1}
    print(
        f"\n50 photos, killed when {len(out)} answers were out, {len(confirmed)} of them known to be:"
        f" all 50 answered, {len(repeated)} twice"
    )
    assert len(out) < 50
    assert repeated <= out - confirmed
