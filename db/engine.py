"""The connection to the database: SQLite in one file, or PostgreSQL.

engine = create_engine(url)
with sessions(engine).begin() as session:   # one transaction
    ...
"""

from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, sessionmaker

BUSY = 10.0  # seconds that SQLite waits for another writer
CONNECT = 5  # seconds that PostgreSQL may take to answer
SILENCE = 30_000  # milliseconds after which a connection is given up whose other end vanished, as with a pulled cable
POOL, OVERFLOW = 5, 15  # connections to PostgreSQL that a process keeps, and more while many threads need one


def create_engine(url: str) -> Engine:
    """An engine for `sqlite:///FILE` (its folder is made) or `postgresql://...`. Nothing is connected yet."""
    address = sqlalchemy.make_url(url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "postgresql":
        # A connection that died while it lay in the pool, as when the server restarts, is replaced unnoticed.
        return sqlalchemy.create_engine(
            address,
            pool_pre_ping=True,
            pool_size=POOL,
            max_overflow=OVERFLOW,
            connect_args={
                "connect_timeout": CONNECT,
                "tcp_user_timeout": SILENCE,
                "application_name": "captionbot",
            },
        )
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        raise ValueError(f"{address.render_as_string()}: neither an SQLite file nor PostgreSQL")
    Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": BUSY})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sessions(engine: Engine) -> sessionmaker[Session]:
    """Makes sessions. What was read in one can still be used after its end."""
    return sessionmaker(engine, expire_on_commit=False)


def reading(engine: Engine) -> sessionmaker[Session]:
    """Makes sessions that only read: on SQLite they wait for no writer and hold none up, however long they take."""
    return sessions(engine.execution_options(reading=True, postgresql_readonly=True))


def commit_at_once(session: Session) -> None:
    """Let this transaction end without waiting for the disk, some milliseconds on PostgreSQL.

    For what needs not outlive a crash of the database's machine, such as who is working on a row. Others see it at
    once all the same. (SQLite does not wait at the end of any transaction: synchronous = NORMAL.)
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit TO OFF"))


def _set_up_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # Python's module begins no transactions of its own
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Who reads first and writes later meets "database is locked" whatever the timeout, unless the lock comes first."""
    only_reads = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
