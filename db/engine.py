"""Connections to the database, SQLite or PostgreSQL.

engine = create_engine(url)
with sessions(engine).begin() as session:   # one transaction
    ...
"""

import contextlib
import logging
import re
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, ExceptionContext, event, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from db import clock
from db.outages import STANDBY_CODES, database_outages, sqlstate
from db.private_files import make_private_file, make_private_folder

log = logging.getLogger(__name__)

SQLITE_TIMEOUT = 10.0  # seconds to wait for another writer
CONNECT_TIMEOUT = 5  # seconds, for PostgreSQL
TCP_TIMEOUT = 30_000  # milliseconds without an acknowledgement after which a connection is closed
POOL, OVERFLOW = 5, 15  # PostgreSQL connections that a process keeps open, and more under load
EXPECTED = "a URL such as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


class UnusableFolder(Exception):
    """The folder of the SQLite file cannot be made."""


def database_address(url: str) -> URL:
    """The parts of a database's URL. `postgres://`, as some hosting providers write it, becomes `postgresql://`.

    Raises:
        ValueError: what the URL should be, as "a URL such as ...". The message shows nothing of a password.
    """
    try:
        address = sqlalchemy.make_url(url)
        if address.drivername == "postgres":
            address = address.set(drivername="postgresql")
        if address.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
            raise ValueError(EXPECTED)
        if address.drivername != "sqlite":
            _check_postgresql(address)
        elif address.host or not address.database or address.database == ":memory:":
            raise ValueError(f"{EXPECTED}; a file has three slashes before it, an absolute path four")
        else:
            address.get_dialect()().create_connect_args(address)
    except ArgumentError:
        raise ValueError(EXPECTED) from None
    except ValueError as error:  # of ours, or of a number among the parts
        raise ValueError(
            str(error) if EXPECTED in str(error) else f"{EXPECTED}; its port or an option is no number"
        ) from None
    return address


def _check_postgresql(address: URL) -> None:
    from psycopg import Error
    from psycopg.conninfo import make_conninfo

    if re.search(r"[@\s]", address.host or ""):
        raise ValueError(f"{EXPECTED}, in which an @ of the password is written %40")
    if not 0 < (address.port or 5432) < 65536:
        raise ValueError(f"{EXPECTED}, with a port up to 65535")
    try:
        make_conninfo(**_with_driver(address).get_dialect()().create_connect_args(address)[1])
    except Error as error:  # the message names an option, and shows no value
        reason = " ".join(str(error).split())
        raise ValueError(f"{EXPECTED}, with options that PostgreSQL knows: {reason}") from None


def _with_driver(address: URL) -> URL:
    return address.set(drivername="postgresql+psycopg")


def create_engine(url: str) -> Engine:
    """Create an engine. It connects with the first query.

    Args:
        url: `sqlite:///FILE`, whose folder is created, or `postgresql://...`.

    Raises:
        ValueError: see `database_address`.
        UnusableFolder: the folder of the SQLite file cannot be made.
    """
    address = database_address(url)
    if address.get_backend_name() == "postgresql":
        # Connections that broke while idle, for example when the server restarted, are replaced before use.
        engine = sqlalchemy.create_engine(
            _with_driver(address),
            pool_pre_ping=True,
            pool_size=POOL,
            max_overflow=OVERFLOW,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "tcp_user_timeout": TCP_TIMEOUT,
                "application_name": "captionbot",
            },
        )
        event.listen(engine, "connect", _set_up_postgresql)
        event.listen(engine, "checkout", _measure_time)
        event.listen(engine, "handle_error", _leave_standby)
        event.listen(engine, "commit", _note_answer)
        return engine
    assert address.database is not None
    try:
        make_private_folder(Path(address.database).parent)
    except OSError as error:
        raise UnusableFolder(
            f"{error.filename} cannot be made ({error.strerror}). Change its owner, DATA_DIR or DATABASE_URL."
        ) from None
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": SQLITE_TIMEOUT})
    event.listen(engine, "do_connect", _create_sqlite)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", _note_answer)
    return engine


def sessions(engine: Engine) -> sessionmaker[Session]:
    """A factory of sessions. Objects that were read in a session remain usable after it ends."""
    return sessionmaker(engine, expire_on_commit=False)


def reading(engine: Engine) -> sessionmaker[Session]:
    """A factory of sessions that only read. On SQLite they neither wait for writers nor block them."""
    return sessions(engine.execution_options(reading=True, postgresql_readonly=True))


def commit_at_once(session: Session) -> None:
    """Commit this transaction without waiting for the disk, which saves some milliseconds on PostgreSQL.

    Use it for data that may be lost if the database server crashes, such as which worker has claimed a row. Other
    transactions see the commit at once. SQLite never waits, because of `synchronous = NORMAL`.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit TO OFF"))


def _set_up_postgresql(connection: Any, record: object) -> None:
    """Prepare no statements behind a pooler such as pgbouncer: the next transaction may run in another server process.

    A pooler shows itself by a process id that is not the one of the server process.
    """
    pid, at = connection.execute("SELECT pg_backend_pid(), clock_timestamp()").fetchone()
    connection.rollback()
    clock.follow(at)
    if pid != connection.info.backend_pid:
        connection.prepare_threshold = None


def checkpoint(engine: Engine) -> bool:
    """Move SQLite's write-ahead log into the file and empty it, so that deleted text is in neither of them.

    Returns:
        False if other connections were in use for so long that it could not be emptied. True for PostgreSQL.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()  # a transaction of SQLAlchemy's would be in the way
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return cursor.fetchall()[0][0] == 0  # 1: other connections were in the way
    finally:
        connection.close()


def close(engine: Engine) -> None:
    """Close the connections that are not in use. Of SQLite the file alone holds everything then. Never raises."""
    try:
        if not checkpoint(engine):
            log.warning("the database's write-ahead log is still in use; copy it together with the file")
    except Exception as error:  # the disk may be full or gone, and then there is nothing that could be done
        log.warning("the database's write-ahead log stays: %s", " ".join(str(error).split()))
    engine.dispose()


def _create_sqlite(dialect: object, record: object, arguments: list[str], parameters: object) -> None:
    """Make a new file readable by its owner alone. SQLite gives the write-ahead log the same mode."""
    with contextlib.suppress(OSError):  # connecting says better what is wrong
        make_private_file(Path(arguments[0]))


def _measure_time(connection: Any, record: object, proxy: object) -> None:
    """Follow the server's clock. Best effort: what fails here fails again in the statement that comes."""
    if clock.is_due():
        with contextlib.suppress(Exception):
            (at,) = connection.execute("SELECT clock_timestamp()").fetchone()
            connection.rollback()
            clock.follow(at)


def _leave_standby(context: ExceptionContext) -> None:
    """Close the pool's connections to a server that takes no writes any more, so that new ones find its successor."""
    if sqlstate(context.original_exception) in STANDBY_CODES:
        context.is_disconnect = True


def _note_answer(connection: Connection) -> None:
    database_outages.answered()


def _set_up_sqlite(connection: Any, record: object) -> None:
    clock.follow(None)
    connection.isolation_level = None  # Python's sqlite3 module must not begin transactions itself
    # secure_delete overwrites what is deleted with zeros; else it would be in the file until the page is used again.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start: to upgrade a read lock later fails at once with "database is locked"."""
    only_reads = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
