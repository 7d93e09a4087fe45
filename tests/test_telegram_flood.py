"""The Telegram bot and a worker as processes, with PostgreSQL and Redis between them: many photos at once, and SIGKILL.

`CAPTIONBOT_TEST_FLOOD=300/100 pytest tests/test_telegram_flood.py -s` sends 300 photos from 100 chats at once and shows
how long people waited.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from database import empty
from processes import PATIENCE, Installation, Process
from sqlalchemy import select, update
from telegram_server import TelegramServer
from worker_parts import jpeg

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Caption, now

pytest_plugins = ["database", "redis_server", "worker_parts"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as telegram:
        yield telegram


@pytest.fixture
def installation(telegram, postgresql_url, redis_server, tiny_model: Path, tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(
        tmp_path,
        database_url=postgresql_url,
        redis_url=redis_server.url,
        model_dir=tiny_model,
        telegram_token=telegram.token,
        telegram_api_url=telegram.url,
    )
    yield installation
    installation.clean()
    empty(postgresql_url)


@pytest.fixture
async def bot(installation: Installation) -> Process:
    """It listens, and its worker is ready."""
    worker, bot = installation.start("worker"), installation.start("telegram")
    await asyncio.to_thread(worker.says, "the worker is ready")
    await asyncio.to_thread(bot.says, "listens")
    return bot


Sent = dict[int, tuple[dict, float]]  # number of the message -> the message, and when it was sent


async def send_photos(telegram: TelegramServer, count: int, chats: int) -> Sent:
    """Photos, all different, from so many private chats."""
    people = [telegram.person(f"P{number}") for number in range(chats)]
    sent = {}
    for number in range(count):
        message = await telegram.photo(people[number % chats], jpeg(number))
        sent[message["message_id"]] = message, time.monotonic()
    return sent


def waits(telegram: TelegramServer, sent: Sent) -> list[float]:
    """Seconds from each photo to its answer, the shortest first."""
    answers = telegram.called("sendMessage")
    answered = {json.loads(call.params["reply_parameters"])["message_id"]: call.at for call in answers}
    return sorted(answered[number] - at for number, (_, at) in sent.items())


async def test_a_flood_is_answered_once_each_in_its_own_chat(telegram, bot):
    photos, chats = (int(number) for number in os.environ.get("CAPTIONBOT_TEST_FLOOD", "60/20").split("/"))
    sent = await send_photos(telegram, photos, chats)
    await telegram.until(lambda: len(telegram.called("sendMessage")) >= photos, PATIENCE * photos / 60)
    await telegram.settled()
    seconds = waits(telegram, sent)
    print(
        f"\n{photos} photos from {chats} chats at once: half of the answers within {statistics.median(seconds):.1f} s,"
        f" nine in ten within {seconds[int(0.9 * photos)]:.1f} s, all within {seconds[-1]:.1f} s"
    )
    assert all(len(telegram.answers_to(message)) == 1 for message, _ in sent.values())
    assert len(telegram.called("sendMessage")) == photos


async def test_after_a_sigkill_all_are_answered_and_only_unconfirmed_sends_repeat(telegram, installation, bot):
    telegram.fault("sendMessage", seconds=0.3, times=10_000)
    sent = await send_photos(telegram, 50, 50)
    await telegram.until(lambda: len(telegram.called("sendMessage")) >= 25, PATIENCE)
    bot.kill()
    await asyncio.sleep(1)
    out = {number for number, (message, _) in sent.items() if telegram.answers_to(message)}
    telegram.faults.clear()
    with sessions_of(create_engine(installation.settings().database_url)).begin() as session:
        shown = session.scalars(select(Caption).where(Caption.delivered_at.is_not(None)))
        confirmed = {row.reply_to["message"] for row in shown}
        session.execute(update(Caption).values(delivery_lease_until=now() - timedelta(seconds=1)))  # a minute later
    installation.start("telegram")
    await telegram.until(lambda: all(telegram.answers_to(message) for message, _ in sent.values()), PATIENCE)
    await telegram.settled()
    repeated = {number for number, (message, _) in sent.items() if len(telegram.answers_to(message)) > 1}
    print(
        f"\n50 photos, killed when {len(out)} answers were out, {len(confirmed)} of them known to be:"
        f" all 50 answered, {len(repeated)} twice"
    )
    assert len(out) < 50
    assert repeated <= out - confirmed
