"""`captionbot discord` under load and after a crash, as a process with the real worker."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from db.engine import create_engine, sessions
from db.tables import Caption, now
from tests.support.discord_flood import flood
from tests.support.discord_processes import bot_of, held_up, ready
from tests.support.discord_server import DiscordServer
from tests.support.floods import noise
from tests.support.processes import Installation

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.usefixtures("bundled")]
PATIENCE = 240.0  # seconds, on a machine with other work


@pytest.fixture
async def discord():
    async with DiscordServer() as discord:
        discord.acknowledge_seconds = 60  # the test measures the time
        yield discord


@pytest.fixture
def installation(tmp_path, discord):
    installation = Installation(tmp_path, **bot_of(discord))
    yield installation
    installation.clean()


async def test_many_commands_at_once_are_acknowledged_in_time_and_answered_once(discord, installation):
    bot = installation.start("discord")
    await ready(discord, bot, worker=True)
    figures = await flood(discord, commands=60, people=20, held_up=lambda: held_up(bot))
    print(f"\n{figures}")
    assert len(figures.acknowledged) == 60
    assert max(figures.acknowledged) < 3 + figures.held_up  # the machine may be busy with other tests
    assert (figures.unanswered, figures.twice) == (0, 0)
    assert await asyncio.to_thread(bot.stop) == 0


async def test_captions_in_progress_when_the_bot_is_killed_are_delivered_once(discord, installation, redis_server):
    """50 captions: half requested by command, half by mention."""
    installation.run("migrate")
    distributed = {"redis_url": redis_server.url}
    bot = installation.start("discord", **distributed)
    await ready(discord, bot)
    ada, mention = discord.person("Ada"), f"<@{discord.bot['id']}>"
    photos = [discord.upload(noise(number, (64, 48))) for number in range(50)]
    interactions = [await discord.slash("caption", ada, photo=photo) for photo in photos[:25]]
    messages = [await discord.post(ada, mention, attachments=[photo]) for photo in photos[25:]]
    rows = sessions(create_engine(installation.settings().database_url))
    await discord.until(lambda: count(rows) == 50, PATIENCE)

    installation.start("worker", **distributed)
    await discord.until(lambda: count(rows, Caption.delivered_at.is_not(None)) >= 5, PATIENCE)
    bot.kill()
    before = count(rows, Caption.delivered_at.is_not(None))
    assert before < 50
    with rows.begin() as session:
        session.execute(update(Caption).values(delivery_lease_until=now() - timedelta(seconds=1)))  # a minute later
    again = installation.start("discord", **distributed)
    await discord.until(lambda: count(rows, Caption.delivered_at.is_not(None)) == 50, PATIENCE)

    assert count(rows, Caption.closed.is_not(None)) == 0
    assert all(interaction.answer for interaction in interactions)
    replies = [one for one in discord.sent_to(discord.channel) if "message_reference" in one]
    answered = [one["message_reference"]["message_id"] for one in replies]
    assert sorted(answered) == sorted(message["id"] for message in messages)
    sent = discord.called("POST", "/channels/.*/messages")
    print(f"\n{before} of 50 delivered before the bot was killed; {len(sent) - 25} sent again, each shown once")
    assert len({call.body["nonce"] for call in sent}) == 25
    assert await asyncio.to_thread(again.stop) == 0


def count(rows, *which) -> int:
    with rows() as session:
        return session.query(Caption).filter(*which).count()
