"""Valid rows, one factory a table: a test states only what it is about."""

import hashlib
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from db import people
from db.captions import Result
from db.photo_store import PhotoStore
from db.tables import Base, Caption, Correction, Model, Person, Photo, State, Vote, now

Row = TypeVar("Row", bound=Base)

_numbers = itertools.count(1)


def make_person(session: Session, key: str | None = None, **columns: Any) -> Person:
    """The person with this key, or a new one."""
    person = people.find_or_create(session, key or f"web:person-{next(_numbers)}")
    for name, value in columns.items():
        setattr(person, name, value)
    session.flush()
    return person


def make_photo(session: Session, store: PhotoStore | None = None, data: bytes | None = None, **columns: Any) -> Photo:
    """A photo of some bytes, no two alike; its file too, if a store is given."""
    data = data or f"photo {next(_numbers)}".encode()
    sha256 = hashlib.sha256(data).hexdigest()
    if store is not None:
        store.save(data, sha256)
    return _add(session, Photo(**{"sha256": sha256, "width": 40, "height": 30, "bytes": len(data)} | columns))


def make_caption(session: Session, person: str | None = None, **columns: Any) -> Caption:
    """A queued caption of a web user; with `text` one that is done."""
    defaults: dict[str, Any] = {"front_end": "web"}
    defaults["person"] = make_person(session, person)
    if "photo" not in columns:
        defaults["photo"] = make_photo(session)
    if "text" in columns:
        defaults |= {"state": State.DONE, "finished_at": now(), "model_version": "bundled", "confidence": 0.5}
    return _add(session, Caption(**defaults | columns))


def make_running(
    session: Session, lease: timedelta = timedelta(seconds=30), worker: str = "w1", **columns: Any
) -> Caption:
    """A row that a worker has claimed."""
    return make_caption(session, state=State.RUNNING, worker=worker, lease_until=now() + lease, **columns)


def make_vote(session: Session, caption: Caption, value: int = 1, person: str | None = None, **columns: Any) -> Vote:
    return _add(session, Vote(caption=caption, person=make_person(session, person), value=value, **columns))


def make_correction(
    session: Session, caption: Caption, text: str = "a red circle", person: str | None = None, **columns: Any
) -> Correction:
    return _add(session, Correction(caption=caption, person=make_person(session, person), text=text, **columns))


def make_model(session: Session, version: str = "v1", **columns: Any) -> Model:
    return _add(session, Model(**{"version": version, "folder": f"models/{version}", "passed": True} | columns))


def make_result(**fields: Any) -> Result:
    """What a model might say."""
    defaults: dict[str, Any] = {
        "text": "a dog runs",
        "confidence": 0.7,
        "hedged": False,
        "is_photo": True,
        "words": ["a", "dog", "runs"],
        "alternatives": ["a brown dog"],
        "attention": None,
        "model_version": "bundled",
        "milliseconds": 12.5,
        "batch_size": 4,
    }
    return Result(**defaults | fields)


def make_undeletable(store: PhotoStore) -> None:
    """Put a folder in the place of each photo's file, which no store deletes."""
    for path in [path for path in Path(store.url).rglob("*") if path.is_file()]:
        path.unlink()
        path.mkdir()


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
