"""Database migrations: `migrate` brings the tables to this version, `check_schema` fails if that is needed.

After a change in tables.py, `python -m db.schema URL "what changed"` with the URL of a migrated database writes a new
migration. Review it before you commit it.
"""

import functools
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from db.engine import create_engine

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 4_170_321  # key of the PostgreSQL advisory lock that migrations take; an arbitrary number


class OldSchema(Exception):
    """The tables of the database are older than this version of captionbot. Run: captionbot migrate"""


class NewSchema(Exception):
    """The tables of the database are newer than this captionbot. Install the newer version, or restore a backup."""


def check_schema(engine: Engine) -> None:
    """Check that the tables are those of this version.

    Raises:
        OldSchema: they must be migrated first.
        NewSchema: a newer version of captionbot migrated them.
    """
    with engine.connect() as connection:
        found = _known_revision(connection)
    if found != _revisions()[-1]:
        raise OldSchema(OldSchema.__doc__)


def has_tables(engine: Engine) -> bool:
    """Whether the database has any table."""
    return bool(inspect(engine).get_table_names())


def migrate(engine: Engine) -> None:
    """Create or upgrade the tables; does nothing if they are current. Concurrent calls run one after the other.

    Raises:
        NewSchema: a newer version of captionbot migrated them.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite locks the whole file when a transaction begins
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _known_revision(connection)
        command.upgrade(_config(connection), "head")


def _known_revision(connection: Connection) -> str | None:
    """The revision of the tables; None if there are none yet. Raises NewSchema if this version does not know it."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found not in (None, *_revisions()):
        raise NewSchema(NewSchema.__doc__)
    return found


@functools.cache
def _revisions() -> list[str]:
    """All revisions, the newest last. Alembic runs each migration's file to learn of it, so it is asked once."""
    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def draft(engine: Engine, message: str) -> None:
    """Write a migration from the tables of a database to those in tables.py."""
    with engine.begin() as connection:
        config = _config(connection)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    draft(create_engine(sys.argv[1]), sys.argv[2])
