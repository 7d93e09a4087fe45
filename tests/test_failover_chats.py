"""PostgreSQL fails over under the chat bots: what people sent meanwhile is done afterwards, once.

Telegram and Discord show people no error after which they would try again. The bots talk to the local servers through
the real client libraries.
"""

import asyncio
import logging
from collections import Counter

import pytest

from db.tables import Correction
from tests.support import discord_world, telegram_world
from tests.support.by_hand import close
from tests.support.redis_server import free_port
from tests.support.service_parts import picture

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("message_content_intent")]
READ_ONLY = 2.0  # seconds, in which each call is tried several times


@pytest.fixture(params=["one", "two"])
def database(request):
    """One server that is a standby for a while, or a pair whose primary crashes. Both have `fail` and `promote`."""
    if request.param == "two":
        return request.getfixturevalue("pair")
    server = request.getfixturevalue("postgresql_server")
    server.fail = server.demote
    return server


@pytest.fixture
def no_traceback(caplog):
    yield
    tracebacks = [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
    assert not tracebacks, caplog.text


@pytest.fixture
async def fail_over(database):
    """fail_over(world, *actions): people do these things while the database takes no writes. Returns the results."""

    async def fail_over(world, *actions):
        world.hand.idle = True
        await asyncio.to_thread(database.fail)
        results = [await action for action in actions]
        await asyncio.sleep(READ_ONLY)
        await asyncio.to_thread(database.promote)
        return results

    return fail_over


def assert_done_once(world):
    """A photo and another sentence for the first one were asked for, and the first caption has two thumbs."""
    first, *later = world.hand.rows()
    assert Counter(row.parent_id for row in later) == Counter([None, first.id])
    assert len({row.text for row in (first, *later)}) == 3
    assert world.hand.votes() == {first.id: 2}
    with world.service.backend.reading() as session:
        assert [correction.text for correction in session.query(Correction)] == ["A red square."]


@pytest.fixture(params=["polling", "webhook"])
async def on_telegram(request, telegram, tmp_path, database, no_traceback):
    changes = {"database_url": database.url}
    if request.param == "webhook":
        port = changes["telegram_webhook_port"] = free_port()
        changes |= {"telegram_webhook_url": "https://bot.example/hook", "telegram_webhook_secret": "a-secret"}
        telegram.webhook_target = f"http://127.0.0.1:{port}/hook"
    world = telegram_world.World(telegram, tmp_path, **changes)
    await world.start()
    yield world
    await close(world)


async def test_what_people_do_on_telegram_is_done_once(telegram, on_telegram, fail_over):
    ada, bob, carol = map(telegram.person, ("Ada", "Bob", "Carol"))
    group = telegram.group(ada, bob, carol)
    shown = await telegram.bot_reply(await telegram.send_photo(ada, picture(1), group, caption="/caption"))
    await telegram.all_confirmed()
    photo, vote, another, _, correction = await fail_over(
        on_telegram,
        telegram.send_photo(ada, picture(2)),
        telegram.press(bob, shown, "👍"),
        telegram.press(ada, shown, "🔁"),
        telegram.react(carol, shown, "👍"),
        telegram.send_text(ada, "A red square.", group, reply_to=shown),
    )
    assert await telegram.query_answer(vote) == "Thank you!"
    await telegram.query_answer(another)
    await telegram.bot_reply(correction)
    await telegram.all_confirmed()
    on_telegram.hand.work()
    await telegram.bot_reply(photo)
    await telegram.wait_until(lambda: all(row.delivered_at for row in on_telegram.hand.rows()))
    assert_done_once(on_telegram)
    assert [len(telegram.bot_replies(message)) for message in (photo, correction)] == [1, 1]
    assert [len(query.answers) for query in (vote, another)] == [1, 1]


async def test_an_answer_that_is_being_sent_is_shown_once(telegram, on_telegram, fail_over):
    ada = telegram.person("Ada")
    slow = telegram.add_fault("sendMessage", seconds=600)
    photo = await telegram.send_photo(ada, picture(1))
    await telegram.wait_until(lambda: telegram.calls_of("sendMessage", code=None))

    async def answer():
        slow.over.set()
        return await telegram.bot_reply(photo)

    (shown,) = await fail_over(on_telegram, answer())
    vote = await telegram.press(ada, shown, "👍")
    assert await telegram.query_answer(vote) == "Thank you!"
    await telegram.wait_until(lambda: on_telegram.hand.rows()[0].delivered_at)
    assert len(telegram.bot_replies(photo)) == 1


@pytest.fixture
async def on_discord(discord, tmp_path, database, no_traceback):
    world = discord_world.World(discord, tmp_path, database_url=database.url)
    await world.start()
    yield world
    await close(world)


async def test_what_people_do_on_discord_is_done_once(discord, on_discord, fail_over):
    ada, bob, carol = map(discord.person, ("Ada", "Bob", "Carol"))
    command = await discord.slash("caption", ada, photo=discord.upload(picture(1)))
    shown = await discord.until(lambda: all(row.message for row in on_discord.hand.rows()) and command.answer)
    opened = await discord.press(ada, shown, "✏️")
    await discord.until(lambda: opened.modal)
    photo, vote, another, _, correction = await fail_over(
        on_discord,
        discord.slash("caption", ada, photo=discord.upload(picture(2))),
        discord.press(bob, shown, "👍"),
        discord.press(ada, shown, "🔁"),
        discord.react(carol, shown, "👍"),
        discord.submit(ada, opened, "A red square."),
    )
    await discord.until(lambda: vote.answered and correction.answer)
    await discord.until(lambda: len(on_discord.hand.waiting) == 2 and on_discord.hand.votes().get(1) == 2)
    on_discord.hand.work()
    await discord.until(lambda: photo.answer and another.answer)
    await discord.until(lambda: all(row.delivered_at for row in on_discord.hand.rows()))
    assert_done_once(on_discord)
    assert [(one.answered, len(one.follow_ups)) for one in (photo, another)] == [(1, 0), (1, 0)]


async def test_a_photo_in_a_message_on_discord_is_described_once(discord, on_discord, fail_over):
    ada = discord.person("Ada")
    channel = discord.direct_channel(ada)["id"]
    await fail_over(on_discord, discord.post(ada, channel=channel, attachments=[discord.upload(picture(1))]))
    await discord.until(lambda: on_discord.hand.waiting)
    on_discord.hand.work()
    await discord.until(lambda: all(row.delivered_at for row in on_discord.hand.rows()))
    assert [message["content"] for message in discord.sent_to(channel)] == ["Sentence 1."]
