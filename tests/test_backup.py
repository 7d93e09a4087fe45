"""Backups of the database, what is left of it on the disk, and who may read it."""

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db import erasure
from db.backup import NoBackup, back_up
from db.engine import checkpoint, close, create_engine
from db.engine import sessions as sessions_of
from db.feedback_export import export
from db.photo_store import PhotoStore
from db.schema import check_schema, migrate
from db.tables import Caption, Person
from tests.support.factories import make_caption, make_person, make_photo, make_vote

SECRET = "a very private sentence that somebody wrote"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def database(tmp_path):
    """A new SQLite database in a folder that captionbot makes."""
    engine = create_engine(f"sqlite:///{tmp_path}/data/captions/captionbot.db")
    migrate(engine)
    yield engine
    engine.dispose()


def test_files_are_private_whatever_the_umask_is(database, tmp_path):
    before = os.umask(0)
    try:
        store = PhotoStore(str(tmp_path / "data/photos"))
        with sessions_of(database).begin() as session:
            make_person(session, "web:1", training_consent=True)
            caption = make_caption(session, "web:1", photo=make_photo(session, store), text="a dog", words=["a", "dog"])
            make_vote(session, caption)
        export(sessions_of(database), PhotoStore(str(tmp_path / "none")), tmp_path / "data/exports/feedback")
        back_up(str(database.url), tmp_path / "data/copy.db")
    finally:
        os.umask(before)
    found = [*(tmp_path / "data").rglob("*")]
    assert {path.suffix for path in found} >= {".db", ".db-wal", ".db-shm", ".json"}
    for path in (tmp_path / "data", *found):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_after_closing_the_file_alone_holds_everything(database, tmp_path):
    with sessions_of(database).begin() as session:
        make_caption(session, text=SECRET)
    file = Path(database.url.database)
    assert SECRET.encode() in file.with_name(file.name + "-wal").read_bytes()
    close(database)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    shutil.copy(file, tmp_path / "alone.db")
    with sqlite3.connect(tmp_path / "alone.db") as copy:
        assert copy.execute("SELECT text FROM captions").fetchall() == [(SECRET,)]
    copy.close()


def test_what_was_forgotten_is_nowhere_on_the_disk(database, tmp_path):
    store = PhotoStore(str(tmp_path / "data/photos"))
    with sessions_of(database).begin() as session:
        make_caption(session, "web:1", photo=make_photo(session, store), text=SECRET)
        for number in range(50):
            make_caption(session, "web:2", text=f"another sentence, number {number}")
    checkpoint(database)
    assert SECRET.encode() in bytes_of(tmp_path)
    erasure.forget(sessions_of(database), store, "web:1")
    assert SECRET.encode() not in bytes_of(tmp_path)
    assert b"another sentence, number 49" in bytes_of(tmp_path)


def test_a_backup_is_whole_while_others_write(database, tmp_path):
    stop, sessions = threading.Event(), sessions_of(database)

    def write() -> None:
        while not stop.is_set():
            with sessions.begin() as session:  # a person and a caption, always both
                make_caption(session, text=SECRET)

    with sessions.begin() as session:
        make_caption(session, text="the first")
    thread = threading.Thread(target=write)
    thread.start()
    try:
        back_up(str(database.url), tmp_path / "copy.db")
    finally:
        stop.set()
        thread.join()
    copy = create_engine(f"sqlite:///{tmp_path}/copy.db")
    check_schema(copy)
    with sessions_of(copy)() as session:
        first = session.scalars(select(Caption.text).order_by(Caption.id)).first()
        captions, people = (session.scalar(select(func.count()).select_from(table)) for table in (Caption, Person))
    copy.dispose()
    assert first == "the first"
    assert captions == people
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".copy")]


def test_a_backup_overwrites_nothing_and_needs_a_database(database, tmp_path):
    (tmp_path / "taken.db").write_text("something else")
    with pytest.raises(NoBackup, match=r"taken\.db exists already"):
        back_up(str(database.url), tmp_path / "taken.db")
    with pytest.raises(NoBackup, match="no database"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    with pytest.raises(NoBackup, match="cannot be written"):
        back_up(str(database.url), tmp_path / "nowhere/copy.db")
    (tmp_path / "garbage.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(NoBackup, match="could not be copied"):
        back_up(f"sqlite:///{tmp_path}/garbage.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_for_postgresql_the_command_is_said_without_the_password(tmp_path):
    with pytest.raises(NoBackup, match=r"pg_dump --format=custom") as caught:
        back_up("postgresql://ann:secret@db.example:5433/captions", tmp_path / "copy")
    assert "'postgresql://ann@db.example:5433/captions'" in str(caught.value)
    assert "secret" not in str(caught.value)
