"""Reads all captions of a person, a page at a time, with no more than an export needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from db import corrections, people
from db.tables import Caption, State

PAGE = 500  # captions that are read at once


@dataclass(frozen=True)
class ExportedCaption:
    """A finished caption, as its owner keeps it."""

    id: str  # public
    file_name: str | None
    text: str
    words: tuple[str, ...]
    hedged: bool
    is_photo: bool
    by_model: bool  # False: it repeats what a person wrote
    confidence: float | None
    correction: str | None  # what the person last wrote about this photo
    rank: int
    created_at: datetime


def exported(reading: sessionmaker[Session], person: str) -> Iterator[ExportedCaption]:
    """The finished captions of a person, newest first. Each page is a transaction of its own."""
    before = None
    while True:
        with reading() as session:
            page, before = _page(session, person, before)
        yield from page
        if before is None:
            return


def _page(session: Session, person: str, before: int | None) -> tuple[list[ExportedCaption], int | None]:
    """A page, and the row id of its last caption; None if it is the last page."""
    owner = people.find(session, person)
    if owner is None:
        return [], None
    columns = (Caption.id, Caption.photo_id, Caption.public_id, Caption.file_name, Caption.text, Caption.words,
               Caption.hedged, Caption.is_photo, Caption.model_version, Caption.confidence, Caption.rank,
               Caption.created_at)  # fmt: skip
    done = select(*columns).where(Caption.person_id == owner.id, Caption.state == State.DONE)
    page = done.order_by(Caption.id.desc()).limit(PAGE)
    rows = session.execute(page if before is None else page.where(Caption.id < before)).all()
    own = corrections.own(session, [row.photo_id for row in rows], owner.id)
    captions = [
        ExportedCaption(
            id=row.public_id,
            file_name=row.file_name,
            text=row.text or "",
            words=tuple(row.words or ()),
            hedged=row.hedged,
            is_photo=row.is_photo,
            by_model=row.model_version is not None,
            confidence=row.confidence,
            correction=own.get(row.photo_id),
            rank=row.rank,
            created_at=row.created_at,
        )
        for row in rows
    ]
    return captions, rows[-1].id if len(rows) == PAGE else None
