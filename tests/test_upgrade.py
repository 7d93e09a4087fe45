"""Tests that data of version 0.1.0 survives the upgrade: `captionbot migrate`, then `captionbot up`.

What waited is captioned and delivered, and buttons and reactions on old messages still work, on SQLite and PostgreSQL.
"""

import asyncio
import secrets

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from db.engine import create_engine, sessions
from db.tables import Caption, Correction, Person, State, Vote
from tests.support.database import SERVER
from tests.support.discord_server import DiscordServer
from tests.support.processes import Installation
from tests.support.telegram_server import TelegramServer
from tests.support.upgrade_data import FACTS, copy_to_postgresql, restore_discord, restore_folder, restore_telegram

pytestmark = pytest.mark.anyio
TELEGRAM, DISCORD, WEB = (FACTS[name] for name in ("telegram", "discord", "web"))
ADA = f"telegram:{TELEGRAM['people']['ada']['id']}"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request, tmp_path):
    """URL of a database with the old rows, in its old tables. Its data folder is tmp_path."""
    url = restore_folder(tmp_path)
    if request.param == "sqlite":
        yield url
        return
    name = f"captionbot_test_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=30)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at {SERVER} ({error})")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        target = SERVER.rpartition("/")[0] + f"/{name}"
        copy_to_postgresql(url, target)
        yield target
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def chats():
    """Telegram and Discord as they were."""
    token = TELEGRAM["token"]
    async with TelegramServer(token) as telegram, DiscordServer(DISCORD["token"]) as discord:
        discord.acknowledge_seconds = 60
        restore_telegram(telegram)
        restore_discord(discord)
        yield telegram, discord


@pytest.fixture
def rows(old_database):
    """rows(statement): what the database holds."""
    engine = create_engine(old_database)
    factory = sessions(engine)

    def query(statement):
        with factory() as session:
            return session.execute(statement).all()

    yield query
    engine.dispose()


@pytest.fixture
def installation(old_database, chats, tmp_path, tiny_model):
    telegram, discord = chats
    installation = Installation(
        tmp_path,
        database_url=old_database,
        telegram_token=telegram.token,
        telegram_api_url=telegram.url,
        discord_token=discord.token,
        discord_api_url=discord.api,
        discord_gateway_url=discord.gateway.url,
        model_dir=tiny_model,
        max_batch=4,
        admin_ids=ADA,
    )
    yield installation
    installation.clean()


def votes(rows, caption):
    found = rows(sa.select(Person.key, Vote.value).join(Vote.person).where(Vote.caption_id == caption))
    return dict(map(tuple, found))


async def test_an_old_installation_goes_on_after_the_upgrade(installation, chats, rows):
    telegram, discord = chats
    assert await asyncio.to_thread(lambda: installation.run("migrate").wait()) == 0
    [admin] = rows(sa.select(Person).where(Person.key == ADA))
    assert (admin[0].preferences.language, admin[0].last_export_at is not None) == ("de", True)
    process = installation.start("up")
    url = await asyncio.to_thread(process.url)
    await what_waited_is_captioned(rows)
    await telegram_goes_on(telegram, rows)
    await discord_goes_on(discord, rows)
    await the_web_page_goes_on(url, rows)
    [correction] = rows(sa.select(Correction))
    assert correction[0].text == "two red spots on a green meadow"
    assert await asyncio.to_thread(process.stop) == 0


async def what_waited_is_captioned(rows):
    """By the promoted model, whether it was queued or its worker had died."""
    unfinished = [*TELEGRAM["unfinished"], *DISCORD["unfinished"], *WEB["unfinished"]]

    def done():
        states = rows(sa.select(Caption.state).where(Caption.id.in_(unfinished)))
        return {state for (state,) in states} == {State.DONE}

    await eventually(done)
    waited = [number for part in (TELEGRAM, DISCORD) for number in part["unfinished"][:2]] + WEB["unfinished"]
    versions = rows(sa.select(Caption.model_version, Caption.attempts).where(Caption.id.in_(waited)))
    assert {version for version, _ in versions} == {"v1"}
    assert sorted(attempts for _, attempts in versions) == [0, 0, 0, 1, 1, 1]


async def telegram_goes_on(telegram, rows):
    ada, bob = TELEGRAM["people"]["ada"], TELEGRAM["people"]["bob"]
    where = telegram.chats[ada["id"]]
    await telegram.wait_until(lambda: len(telegram.bot_messages(where)) >= 4)  # one before, three that waited
    private = telegram.messages[ada["id"], TELEGRAM["private"]]
    in_group = telegram.messages[TELEGRAM["group"]["id"], TELEGRAM["in_group"]]
    assert votes(rows, 1) == {ADA: 1}
    await telegram.query_answer(await telegram.press(ada, private, "👎"))
    await telegram.wait_until(lambda: votes(rows, 1) == {ADA: -1})
    await telegram.react(bob, in_group, "👍")
    await telegram.wait_until(lambda: votes(rows, 2) == {f"telegram:{bob['id']}": 1})
    again = await telegram.press(ada, private, "🔁")
    await telegram.query_answer(again)
    another = sa.select(Caption.rank, Caption.state).where(Caption.parent_id == 1)
    await telegram.wait_until(lambda: rows(another) == [(1, State.DONE)])


async def discord_goes_on(discord, rows):
    ada, bob = DISCORD["people"]["ada"], DISCORD["people"]["bob"]
    replied = {one["id"] for one in DISCORD["messages"]}
    await discord.until(lambda: len([one for one in discord.sent_to(discord.channel) if one["id"] not in replied]) == 3)
    shown, caption = discord.messages[DISCORD["shown"]], DISCORD["row"]
    keys = {name: f"discord:{DISCORD['people'][name]['id']}" for name in ("ada", "bob")}
    assert votes(rows, caption) == {keys["bob"]: 1, keys["ada"]: -1}
    pressed = await discord.press(bob, shown, "👎")
    await discord.until(lambda: pressed.answered)
    assert votes(rows, caption) == {keys["bob"]: -1, keys["ada"]: -1}
    await discord.react(ada, shown, "👍")
    await discord.until(lambda: votes(rows, caption) == {keys["bob"]: -1, keys["ada"]: 1})


async def the_web_page_goes_on(url, rows):
    async with httpx.AsyncClient(base_url=url, cookies=WEB["cookies"]) as visitor:
        captions = [(await visitor.get(f"/api/captions/{id}")).json() for id in WEB["ids"]]
        assert {caption["status"] for caption in captions} == {"done"}
        assert captions[0]["vote"] == 1
        answer = await visitor.put(f"/api/captions/{WEB['ids'][2]}/vote", json={"value": -1})
        assert answer.status_code == 200
    [(last,)] = rows(sa.select(Caption.id).where(Caption.public_id == WEB["ids"][2]))
    assert list(votes(rows, last).values()) == [-1]


async def eventually(true, seconds=180):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)
