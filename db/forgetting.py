"""Removing what people no longer want kept. Rows first, in one transaction; then the files that no row needs.

After a crash in between, retention.py removes those files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from db import correction_memory, photos
from db.feedback_export import drop_exports
from db.photo_store import PhotoStore
from db.tables import Caption, Correction, Person, Vote

CHUNK = 500  # rows that are deleted at once


@dataclass(frozen=True)
class Forgotten:
    """How many of each were removed. Votes and corrections are the person's own, wherever they were given."""

    captions: int = 0
    photos: int = 0
    votes: int = 0
    corrections: int = 0


def forget(sessions: sessionmaker[Session], store: PhotoStore, key: str, exports: Path | None = None) -> Forgotten:
    """Remove a person with captions, votes, corrections and preferences, and the photos that nobody else sent.

    exports: a folder of kept exports; those that hold anything of the person are removed.
    """
    with sessions.begin() as session:
        person = session.scalar(select(Person).where(Person.key == key).with_for_update())
        if person is None:
            return Forgotten()
        votes = _number(session, Vote, person.id)
        corrections = _number(session, Correction, person.id)
        captions = session.scalars(select(Caption.id).where(Caption.person_id == person.id)).all()
        repeated = session.scalars(correction_memory.repeating(person.id)).all()
        files = delete_captions(session, {*captions, *repeated})
        session.delete(person)  # and, by foreign keys, all that is left
    for sha256 in files:
        photos.drop_orphan(sessions, store, sha256)
    if exports is not None:
        drop_exports(exports, person.id)
    return Forgotten(len(captions), len(files), votes, corrections)


def delete_captions(session: Session, ids: Iterable[int]) -> list[str]:
    """Delete rows of captions, their votes and corrections, and rows of photos that no caption needs then.

    Returns the SHA-256 of these photos: photos.drop_orphan each after the commit.
    """
    rows, files = sorted(ids), []
    for start in range(0, len(rows), CHUNK):
        these = Caption.id.in_(rows[start : start + CHUNK])
        session.execute(select(Caption.id).where(these).order_by(Caption.id).with_for_update())
        used = session.scalars(delete(Caption).where(these).returning(Caption.photo_id))
        files += photos.delete_unused(session, set(used))
    return files


def _number(session: Session, table: type[Vote] | type[Correction], person_id: int) -> int:
    return session.scalars(select(func.count()).select_from(table).where(table.person_id == person_id)).one()
