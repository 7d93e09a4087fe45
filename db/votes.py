"""Thumbs. One a person and caption, the last one counts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from db.tables import Vote, now
from db.upsert import insert


@dataclass(frozen=True)
class Thumbs:
    """Of one caption; mine: 1, -1, or 0 for none."""

    up: int = 0
    down: int = 0
    mine: int = 0


def vote(session: Session, caption_id: int, person_id: int, value: int) -> None:
    """Count a thumb, 1 or -1. Raises ValueError for anything else."""
    if value not in (1, -1):
        raise ValueError(f"{value} is no thumb")
    thumb = {"value": value, "voted_at": now()}
    row = insert(session, Vote).values(caption_id=caption_id, person_id=person_id, **thumb)
    session.execute(row.on_conflict_do_update(index_elements=["caption_id", "person_id"], set_=thumb))


def unvote(session: Session, caption_id: int, person_id: int) -> None:
    """Take the thumb back, if there is one."""
    session.execute(delete(Vote).where(Vote.caption_id == caption_id, Vote.person_id == person_id))


def thumbs(session: Session, caption_ids: Iterable[int], person_id: int | None = None) -> dict[int, Thumbs]:
    """Of every caption that was asked about. person_id: whose own thumb is wanted."""
    ids = list(caption_ids)
    rows = session.execute(
        select(
            Vote.caption_id,
            func.sum(case((Vote.value > 0, 1), else_=0)),
            func.sum(case((Vote.value < 0, 1), else_=0)),
            func.sum(case((Vote.person_id == person_id, Vote.value), else_=0)),
        )
        .where(Vote.caption_id.in_(ids))
        .group_by(Vote.caption_id)
    )
    found = {id: Thumbs(up, down, mine) for id, up, down, mine in rows}
    return {id: found.get(id, Thumbs()) for id in ids}
