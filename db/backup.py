"""Copies the database while it is in use."""

import os
import sqlite3
import tempfile
from pathlib import Path

from db.engine import database_address


class NoBackup(Exception):
    """The database cannot be copied. The message says what to do."""


def back_up(url: str, path: Path) -> None:
    """Copy an SQLite database into one file with mode 0600, by SQLite's online backup: others may write meanwhile.

    The file appears when it is complete, and holds all that was committed when the copy ended.

    Raises:
        NoBackup: `path` exists, or there is no database, or it is one of PostgreSQL, whose own tools make backups.
    """
    address = database_address(url)
    if address.get_backend_name() == "postgresql":
        shown = address.set(drivername="postgresql")._replace(password=None).render_as_string()
        raise NoBackup(
            f"This database is PostgreSQL, which makes its backups itself: pg_dump --format=custom --file={path} "
            f"'{shown}' and to restore: pg_restore --clean --if-exists --dbname='{shown}' {path} (they ask for "
            "the password, or read PGPASSWORD)"
        )
    source = Path(address.database or "")
    if path.exists():
        raise NoBackup(f"{path} exists already; choose another name")
    if not source.is_file():
        raise NoBackup(f"There is no database at {source} yet")
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise NoBackup(f"{path} cannot be written ({error.strerror})") from None
    os.close(handle)
    try:
        _copy(source, Path(draft))
        os.replace(draft, path)
    except (OSError, sqlite3.Error) as error:
        raise NoBackup(f"{source} could not be copied to {path} ({error})") from None
    finally:
        Path(draft).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    original, copy = sqlite3.connect(source), sqlite3.connect(target)
    try:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file; captionbot turns the write-ahead log on again
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the copy is damaged, and so may be the database")
    finally:
        copy.close()
        original.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())
