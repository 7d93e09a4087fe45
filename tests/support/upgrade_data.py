"""Data that version 0.1.0 left behind (see upgrade/make.py.txt), as if it had been made a minute ago."""

import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command

from db.engine import create_engine
from db.schema import _config
from tests.support.discord_server import DiscordServer
from tests.support.telegram_server import TelegramServer
from tests.support.worker_parts import save_tiny

OLD = Path(__file__).parent / "upgrade"
FACTS: dict[str, Any] = json.loads((OLD / "facts.json").read_text())
TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}"
FIRST = "0001"  # the revision of its tables


def restore_folder(folder: Path) -> str:
    """Its data folder: photos, the web page's key, the promoted model, the SQLite file. Returns the file's URL."""
    shutil.copytree(OLD / "photos", folder / "photos")
    shutil.copy(OLD / "secret_key", folder / "secret_key")
    save_tiny(folder / "models" / "v1", "promoted before the upgrade")
    past = datetime.now(UTC) - timedelta(minutes=1) - datetime.fromisoformat(FACTS["made_at"])
    rows = re.sub(TIME, lambda found: _later(found[0], past), (OLD / "database.sql").read_text())
    connection = sqlite3.connect(folder / "captionbot.db")
    connection.executescript(rows.replace("@DATA@", str(folder)))
    connection.close()
    return f"sqlite:///{folder}/captionbot.db"


def _later(text: str, by: timedelta) -> str:
    """A time in the SQL, later. Otherwise what was sent long ago would be cleared away at once."""
    return (datetime.fromisoformat(text) + by).isoformat(sep=text[10], timespec="microseconds")


def copy_to_postgresql(source: str, target: str) -> None:
    """Its rows into an empty PostgreSQL database, in the tables of that version."""
    old, new = create_engine(source), create_engine(target)
    with new.begin() as connection:
        command.upgrade(_config(connection), FIRST)
    here, there = sa.MetaData(), sa.MetaData()
    here.reflect(old)
    there.reflect(new)
    with old.connect() as reading, new.begin() as writing:
        writing.execute(sa.text("SET TIME ZONE 'UTC'"))
        for table in there.sorted_tables:
            if table.name == "alembic_version":
                continue
            columns = [sa.type_coerce(here.tables[table.name].c[column.name], _plain(column)) for column in table.c]
            if rows := [dict(zip(table.c.keys(), row, strict=True)) for row in reading.execute(sa.select(*columns))]:
                writing.execute(table.insert(), rows)
            if "id" in table.c and isinstance(table.c.id.type, sa.Integer):
                last = f"(SELECT max(id) FROM {table.name})"
                writing.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))
    old.dispose()
    new.dispose()


def _plain(column: sa.Column[Any]) -> Any:
    """The type by which SQLite's values are read for a column of PostgreSQL."""
    for kind in (sa.JSON, sa.Boolean, sa.DateTime):
        if isinstance(column.type, kind):
            return kind()
    return sa.types.NullType()


def restore_telegram(server: TelegramServer) -> dict[str, Any]:
    """The chats and messages that Telegram had then. Returns the facts."""
    facts = json.loads(json.dumps(FACTS["telegram"]))
    server.bot = facts["bot"]
    server.chats = {chat["id"]: chat for chat in facts["chats"]}
    server.members = {chat: dict(own) for chat, own in facts["members"]}
    server.messages = {(one["chat"]["id"], one["message_id"]): one for one in facts["messages"]}
    server._next_message, server._next_update = facts["last_message"], facts["next_update"]
    return facts


def restore_discord(server: DiscordServer) -> dict[str, Any]:
    """The same for Discord."""
    facts = json.loads(json.dumps(FACTS["discord"]))
    server.people = {one["id"]: one for one in facts["people"].values()}
    server.channels = {one["id"]: one for one in facts["channels"]}
    server.messages = {one["id"]: one for one in facts["messages"]}
    server.guild = facts["guild"]
    server.gateway.guilds = {server.guild["id"]: server.guild}
    server.channel = server.guild["channels"][0]["id"]
    return facts
