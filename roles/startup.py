"""How every command starts: it reads the settings and configures logging. Errors at start become one-line messages."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import CaptionbotError, one_line

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

    from settings import Settings

# These libraries log a lot at INFO that matters little: of them only warnings are shown, unless DEBUG is set.
NOISY_LOGGERS = ("alembic", "httpx", "kombu", "uvicorn", "celery", "discord")
NOTHING_YET = "Nothing yet: captionbot has described no photo here. To start it: captionbot up"
JSON_FIELDS = {  # attribute of a log record -> key in the JSON object
    "created": "time",
    "levelname": "level",
    "name": "logger",
    "message": "text",
    "exc_info": "traceback",  # only if there is one
}


def configure() -> "Settings":
    """Read the settings, and configure as they say what a process has one of: logging, and the room for decoding.

    Raises:
        CaptionbotError: a setting has a value that cannot be used.
    """
    from bots.log_redaction import hide_secret, redact_logs
    from model.images.decoding_room import DECODING
    from roles.log_repeats import RepeatHandler
    from settings import WrongSetting, read_settings

    try:
        settings = read_settings()
    except WrongSetting as error:
        raise CaptionbotError(str(error)) from None
    DECODING.limit = settings.max_decoding_pixels
    redact_logs()
    for secret in settings.secrets:
        hide_secret(secret)
    handler = RepeatHandler()
    handler.setFormatter(
        json_formatter() if settings.log_format == "json" else logging.Formatter("%(levelname)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    if settings.log_level == "INFO":
        for name in NOISY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
    return settings


def json_formatter() -> logging.Formatter:
    """A formatter that writes one JSON object a line, with what the caller passed as `extra`, such as `caption`."""
    from pythonjsonlogger.core import RESERVED_ATTRS
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        [name for name in JSON_FIELDS if name != "exc_info"],
        rename_fields=JSON_FIELDS,
        reserved_attrs=[*RESERVED_ATTRS, "taskName", "color_message"],  # of asyncio and uvicorn
    )


@contextmanager
def startup_errors() -> Iterator[None]:
    """Raise what keeps a front-end from starting as CaptionbotError, whose message says what to do."""
    from bots.errors import CannotStart
    from bots.i18n import BadTranslation
    from settings import WrongSetting

    try:
        yield
    except (BadTranslation, CannotStart, WrongSetting) as error:
        raise CaptionbotError(str(error)) from None


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise as CaptionbotError what the storage lacks: a database that does not answer or has the tables of another
    version, a folder that cannot be made, a photo store that cannot be used here."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    from db.engine import UnusableFolder
    from db.outages import is_outage
    from db.photo_store import UnusableStore
    from db.schema import NewSchema, OldSchema

    try:
        yield
    except (OldSchema, NewSchema, UnusableFolder, UnusableStore) as error:
        raise CaptionbotError(str(error)) from None
    except DBAPIError as error:
        if "not a database" in str(error.orig):  # of SQLite
            raise CaptionbotError(
                "The file that DATABASE_URL names is damaged, or no SQLite database. Restore a backup, or move it away."
            ) from None
        if not isinstance(error, OperationalError) and not is_outage(error):
            raise
        question = f"Does it run, and {_what_may_be_wrong(error)} right?"
        raise CaptionbotError(f"The database does not answer. {question} ({one_line(error.orig)})") from None


def _what_may_be_wrong(error: "DBAPIError") -> str:
    """DATABASE_URL, and the variables of PostgreSQL's library that are set."""
    from settings.environment import libpq_variables

    variables = libpq_variables() if type(error.orig).__module__.startswith("psycopg") else []
    return f"are DATABASE_URL and {', '.join(variables)}" if variables else "is DATABASE_URL"


def is_empty(settings: "Settings") -> bool:
    """Whether nothing was ever stored: there is no database, or one without any table. Creates nothing.

    Raises:
        CaptionbotError: see `database_errors`.
    """
    from db.engine import create_engine, database_address
    from db.schema import has_tables

    address = database_address(settings.database_url)
    if address.drivername == "sqlite" and not Path(address.database or "").exists():
        return True
    with database_errors():
        engine = create_engine(settings.database_url)
        empty = not has_tables(engine)
        engine.dispose()
    return empty


def migrate_database(settings: "Settings") -> None:
    """Create the tables of the database, or bring them to this version. Raises CaptionbotError."""
    from db.engine import close, create_engine
    from db.schema import migrate

    with database_errors():
        engine = create_engine(settings.database_url)
        migrate(engine)
        close(engine)
