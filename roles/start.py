"""How every command begins: the settings are read, and logging starts as they say."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from model.errors import CaptionbotError

if TYPE_CHECKING:
    from settings import Settings

# They say little that matters, and much of it: at least they have to be in earnest.
CHATTY = ("alembic", "httpx", "kombu", "uvicorn", "celery", "discord")
ABOUT_ONE = "caption %d"  # how a message begins that is about one caption; its first value is the caption's row


def begin() -> "Settings":
    """Raises CaptionbotError: what is wrong with a setting."""
    from settings import WrongSetting, read_settings

    try:
        settings = read_settings()
    except WrongSetting as error:
        raise CaptionbotError(str(error)) from None
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLog() if settings.log_format == "json" else logging.Formatter("%(levelname)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    if settings.log_level == "INFO":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    return settings


class JsonLog(logging.Formatter):
    """One object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": record.created, "level": record.levelname, "logger": record.name, "text": record.getMessage()}
        if isinstance(record.args, tuple) and record.args and str(record.msg).startswith(ABOUT_ONE):
            entry["caption"] = record.args[0]
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        elif record.exc_text:
            entry["traceback"] = record.exc_text
        return json.dumps(entry, default=str)


@contextmanager
def in_sentences() -> Iterator[None]:
    """What keeps a front-end from starting is raised as CaptionbotError, whose text tells what to do."""
    from bots.errors import CannotStart
    from settings import WrongSetting

    try:
        yield
    except (CannotStart, WrongSetting) as error:
        raise CaptionbotError(str(error)) from None


@contextmanager
def with_database() -> Iterator[None]:
    """The same for what is wrong with the database."""
    from sqlalchemy.exc import OperationalError

    from db.schema import NewSchema, OldSchema

    try:
        yield
    except (OldSchema, NewSchema) as error:
        raise CaptionbotError(str(error)) from None
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise CaptionbotError(
            f"The database does not answer. Does it run, and is DATABASE_URL right? ({reason})"
        ) from None


def migrated(settings: "Settings") -> None:
    """Bring the database's tables to this version. Raises CaptionbotError."""
    from db.engine import create_engine
    from db.schema import migrate

    with with_database():
        engine = create_engine(settings.database_url)
        migrate(engine)
        engine.dispose()
