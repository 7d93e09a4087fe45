"""Settings for a benchmark: the given servers with a database, a key prefix and a folder of its own, and no limits."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy

from db.engine import create_engine
from db.schema import migrate
from model.errors import CaptionbotError
from roles.startup import database_errors
from settings import Settings
from settings.urls import sqlite_url

KEPT = ("broker_transport", "model_dir", "engine", "max_batch", "beams")


def embedded_settings(settings: Settings, folder: Path) -> Settings:
    """As in `captionbot up` with default settings: SQLite, and a queue in memory."""
    return _settings(
        settings, folder / "embedded", database_url=sqlite_url(folder / "embedded.db"), redis_url=None, broker_url=None
    )


@contextmanager
def distributed_settings(settings: Settings, folder: Path) -> Iterator[Settings]:
    """With a database that is dropped afterwards. Raises CaptionbotError if PostgreSQL or Redis is missing."""
    if settings.redis_url is None or not settings.database_url.startswith("postgresql"):
        raise CaptionbotError("The benchmark of the service needs a DATABASE_URL of PostgreSQL, and a REDIS_URL.")
    given = sqlalchemy.make_url(settings.database_url)
    name = f"{(given.database or '')[:40]}_bench_{secrets.token_hex(4)}"  # PostgreSQL cuts names after 63 bytes
    with database_errors():
        server = create_engine(settings.database_url).execution_options(isolation_level="AUTOCOMMIT")
        quoted = server.dialect.identifier_preparer.quote(name)
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {quoted}"))
    try:
        url = given.set(database=name).render_as_string(hide_password=False)
        yield _settings(
            settings,
            folder / "distributed",
            database_url=url,
            redis_url=settings.redis_url,
            broker_url=settings.broker_url,
            key_prefix=name,
            secret_key=secrets.token_urlsafe(32),
        )
    finally:
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"DROP DATABASE {quoted} WITH (FORCE)"))
        server.dispose()


def _settings(settings: Settings, folder: Path, **own: object) -> Settings:
    kept = {name: getattr(settings, name) for name in KEPT}
    places = {"data_dir": folder, "photo_store": str(folder / "photos")}
    unlimited = {"rate_limit": "1000000/second", "queue_limit": 1_000_000, "person_queue_limit": 1_000_000}
    made = Settings(_env_file=None, **kept | places | unlimited | own)  # type: ignore[call-arg]
    folder.mkdir()
    engine = create_engine(made.database_url)
    migrate(engine)
    engine.dispose()
    return made


def environment(settings: Settings) -> dict[str, str]:
    """The environment variables that give another process these settings."""
    given = {
        "DATA_DIR": settings.data_dir,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BROKER_URL": settings.broker_url,
        "KEY_PREFIX": settings.key_prefix,
        "PHOTO_STORE": settings.photo_store,
        "SECRET_KEY": settings.secret_key and settings.secret_key.get_secret_value(),
        "LOG_LEVEL": "WARNING",
    } | {name.upper(): getattr(settings, name) for name in KEPT}
    return dict(os.environ) | {name: str(value) for name, value in given.items() if value is not None}
