"""Forgetting is finished when no copy is left: while an export runs, after interruptions, and with damaged exports."""

import json
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db import erasure
from db.erasure import forget
from db.feedback_export import export
from db.photo_store import PhotoStore
from db.tables import Erasure, KeptExport, Person, now
from tests.support.factories import make_caption, make_person, make_photo, make_vote
from tests.support.service_parts import picture

ANN, ZOE = "web:ann", "web:zoe"


class SlowStore(PhotoStore):
    """A store in which the first photo is read when the test says so."""

    def __init__(self, url: str):
        super().__init__(url)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def read(self, sha256: str) -> bytes:
        self.reached.set()
        assert self.go_on.wait(30)
        return super().read(sha256)


class BrokenStore(PhotoStore):
    """A store that is away when photos are to be deleted."""

    def drop(self, sha256: str) -> None:
        raise OSError("Input/output error")


@pytest.fixture
def zoe(sessions, store) -> int:
    """The row id of Zoe, who sent a photo and rated one of Ann's; Ann rated both."""
    with sessions.begin() as session:
        for number, person in enumerate((ANN, ZOE)):
            make_person(session, person, training_consent=True)
            photo = make_photo(session, store, picture(number))
            caption = make_caption(session, person, photo=photo, text="A dog.", words=["a", "dog"])
            make_vote(session, caption, 1, ANN)
        make_vote(session, caption, -1, ZOE)
        return session.scalars(select(Person.id).where(Person.key == ZOE)).one()


def people_in(folder: Path) -> list[int]:
    return json.loads((folder / "manifest.json").read_text())["people"]


def left(sessions) -> int:
    with sessions() as session:
        return len(session.scalars(select(Erasure)).all()) + sum(
            1 for row in session.scalars(select(KeptExport)) if row.draft is not None
        )


def test_who_is_forgotten_while_an_export_runs_is_not_in_it(sessions, store, zoe, tmp_path):
    slow, done = SlowStore(store.url), []
    thread = threading.Thread(target=lambda: done.append(export(sessions, slow, tmp_path / "exports/now")))
    thread.start()
    assert slow.reached.wait(30)
    gone = forget(sessions, store, ZOE, tmp_path / "exports")
    assert (gone.captions, gone.exports, gone.left) == (1, 1, 0)
    slow.go_on.set()
    thread.join()
    assert zoe not in people_in(done[0].folder)
    assert done[0].counts.captions == 1
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["now"]
    assert left(sessions) == 0


def test_an_export_that_finished_just_before_is_deleted_wherever_it_lies(sessions, store, zoe, tmp_path):
    kept, elsewhere = (export(sessions, store, tmp_path / name).folder for name in ("exports/feedback", "march"))
    with sessions.begin() as session:
        make_person(session, "web:unknown")
    assert forget(sessions, store, "web:unknown", tmp_path / "exports").exports == 0
    assert zoe in people_in(elsewhere)
    assert forget(sessions, store, ZOE, tmp_path / "exports").exports == 2
    assert not kept.exists()
    assert not elsewhere.exists()
    assert zoe not in people_in(export(sessions, store, elsewhere).folder)


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"people": null}', "[" * 100_000, "\x00"])
def test_a_damaged_export_of_an_earlier_version_does_not_end_it(sessions, store, zoe, tmp_path, manifest):
    for name in ("damaged", ".crashed.x1y2", "notes"):
        (tmp_path / "exports" / name).mkdir(parents=True)
    (tmp_path / "exports/damaged/manifest.json").write_text(manifest)
    (tmp_path / "exports/.crashed.x1y2/captions.jsonl").write_text("Zoe's")
    (tmp_path / "exports/notes/text").write_text("no export at all")
    gone = forget(sessions, store, ZOE, tmp_path / "exports")
    assert (gone.captions, gone.photos, gone.exports, gone.left) == (1, 1, 2, 0)
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["notes"]


def test_what_cannot_be_deleted_now_is_deleted_later(sessions, store, zoe, tmp_path, service):
    export(sessions, store, tmp_path / "feedback")
    gone = forget(sessions, BrokenStore(store.url), ZOE)
    assert (gone.photos, gone.exports, gone.left) == (1, 1, 1)
    assert len([*store.names()]) == 2
    again = forget(sessions, BrokenStore(store.url), ZOE)  # finds nobody, and does not call it finished
    assert (again.captions, again.left) == (0, 1)
    service.maintenance().finish_forgetting()
    assert len([*store.names()]) == 1
    assert left(sessions) == 0


def test_an_export_on_another_machine_is_left_until_that_one_deletes_it(sessions, store, zoe, tmp_path):
    folder = export(sessions, store, tmp_path / "disk/feedback").folder
    (tmp_path / "disk").rename(tmp_path / "not mounted here")
    assert forget(sessions, store, ZOE).left == 1
    assert erasure.finish(sessions, store) == 1
    (tmp_path / "not mounted here").rename(tmp_path / "disk")
    assert erasure.finish(sessions, store) == 0
    assert not folder.exists()


def test_a_folder_that_nobody_reaches_for_a_month_is_named_in_the_log(sessions, store, caplog, tmp_path):
    with sessions.begin() as session:
        session.add(Erasure(photos=[], folders=["/nowhere/at/all"], asked_at=now() - timedelta(days=31)))
    assert erasure.finish(sessions, store) == 0
    assert "delete by hand" in caplog.text
    assert "/nowhere/at/all" in caplog.text
    assert left(sessions) == 0


def test_an_export_that_is_sent_and_deleted_is_not_looked_for(sessions, store, zoe, tmp_path):
    export(sessions, store, tmp_path / "temporary/feedback", kept=False)
    with sessions() as session:
        assert session.scalars(select(KeptExport)).all() == []


KILLED = """
import os, sys
from db.engine import create_engine, sessions
from db.erasure import forget
from db.photo_store import PhotoStore

class Deadly(PhotoStore):
    def drop(self, sha256):
        os.kill(os.getpid(), 9)

forget(sessions(create_engine(sys.argv[1])), Deadly(sys.argv[2]), "web:zoe")
"""


def test_a_process_that_is_killed_after_the_rows_are_gone_is_made_up_for(sessions, store, zoe, tmp_path, database_url):
    folder = export(sessions, store, tmp_path / "feedback").folder
    sessions.kw["bind"].dispose()
    command = [sys.executable, "-c", KILLED, database_url, store.url]
    assert subprocess.run(command, cwd=Path(__file__).parents[1]).returncode == -9
    with sessions() as session:
        assert session.scalar(select(Person).where(Person.key == ZOE)) is None
    assert folder.exists()
    assert erasure.finish(sessions, store) == 0
    assert not folder.exists()
    assert len([*store.names()]) == 1
    assert left(sessions) == 0


def test_a_crash_when_the_folder_had_just_got_its_name_hides_nobody(sessions, store, zoe, tmp_path):
    folder = export(sessions, store, tmp_path / "feedback").folder
    with sessions.begin() as session:  # as the row was before the transaction that the crash rolled back
        session.scalars(select(KeptExport)).one().draft = str(tmp_path / ".feedback.gone")
    forget(sessions, store, ZOE)
    assert not folder.exists()
    assert left(sessions) == 0
