"""Databases for tests: the same test runs on a file of SQLite and on a PostgreSQL database of its own."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.photo_store import PhotoStore
from db.schema import migrate
from db.tables import Base

SERVER = os.environ.get("CAPTIONBOT_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without rows, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection that closes writes the log into the file
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated database of this process, dropped in the end."""
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=30)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at {SERVER}; set CAPTIONBOT_TEST_POSTGRESQL ({error})")
    name = f"captionbot_test_{secrets.token_hex(4)}"
    with server:
        server.execute(f"CREATE DATABASE {name}")
        url = SERVER.rpartition("/")[0] + f"/{name}"
        engine = create_engine(url)
        migrate(engine)
        engine.dispose()
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that uses a database runs on both, unless a mark says which: `pytest.mark.database("sqlite")`."""
    if "database_url" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("database")
        metafunc.parametrize("database_url", mark.args if mark else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without rows; other processes can be given its URL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path}/test.db"
    else:
        url = request.getfixturevalue("postgresql_url")
        yield url
        empty(url)


def empty(url: str) -> None:
    """Delete all rows: much faster than TRUNCATE."""
    with psycopg.connect(url) as connection:
        connection.execute("SET lock_timeout = '60s'")  # a test that left a transaction open is told so
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return sessions_of(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One transaction, which nobody else sees: it is rolled back."""
    with sessions() as session:
        yield session


@pytest.fixture
def store(tmp_path: Path) -> PhotoStore:
    return PhotoStore(str(tmp_path / "photos"))
