"""The version of the tables: `migrate` makes or changes them, `check_schema` says whether that is needed.

After a change in tables.py: `python -m db.schema URL "what changed"`, with the URL of a migrated database, writes the
migration. Read it before you commit it.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from db.engine import create_engine

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 4_170_321  # of our migrations among PostgreSQL's advisory locks; any number will do


class OldSchema(Exception):
    """The database's tables are not those of this version. Run: captionbot migrate"""


class NewSchema(Exception):
    """The database's tables are those of a newer version of captionbot. Install that one, or restore a backup."""


def check_schema(engine: Engine) -> None:
    """Raises OldSchema or NewSchema, whose text says what to do."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found not in {None, *(script.revision for script in scripts.walk_revisions())}:
        raise NewSchema(NewSchema.__doc__)
    if found != scripts.get_current_head():
        raise OldSchema(OldSchema.__doc__)


def migrate(engine: Engine) -> None:
    """Bring the tables to this version; nothing happens if they are. Two at the same time do it one after the other."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite locks the whole file when a transaction begins
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        command.upgrade(_config(connection), "head")


def draft(engine: Engine, message: str) -> None:
    """Write the migration from the tables of a database to those in tables.py."""
    with engine.begin() as connection:
        config = _config(connection)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    draft(create_engine(sys.argv[1]), sys.argv[2])
