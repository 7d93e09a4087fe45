"""Votes: thumbs up or down. Each person has at most one for a caption, the latest."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, func, select
from sqlalchemy.orm import Session

from db.tables import Vote, now
from db.upsert import insert


@dataclass(frozen=True)
class Thumbs:
    """Votes on one caption. mine: the vote of the person who asks, 1 or -1; 0 for none."""

    up: int = 0
    down: int = 0
    mine: int = 0


def vote_counts() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Two columns for a query of votes: the numbers of thumbs up and thumbs down."""
    return func.sum(case((Vote.value > 0, 1), else_=0)), func.sum(case((Vote.value < 0, 1), else_=0))


def vote(session: Session, caption_id: int, person_id: int, value: int) -> None:
    """Store a person's vote, 1 or -1. Raises ValueError for any other value."""
    if value not in (1, -1):
        raise ValueError(f"{value} is neither 1 nor -1")
    thumb = {"value": value, "voted_at": now()}
    row = insert(session, Vote).values(caption_id=caption_id, person_id=person_id, **thumb)
    session.execute(row.on_conflict_do_update(index_elements=["caption_id", "person_id"], set_=thumb))


def unvote(session: Session, caption_id: int, person_id: int) -> None:
    """Delete a person's vote, if there is one."""
    session.execute(delete(Vote).where(Vote.caption_id == caption_id, Vote.person_id == person_id))


def thumbs(session: Session, caption_ids: Iterable[int], person_id: int | None = None) -> dict[int, Thumbs]:
    """Votes on each of these captions. person_id: whose own vote is counted as `mine`."""
    ids = list(caption_ids)
    rows = session.execute(
        select(
            Vote.caption_id,
            *vote_counts(),
            func.sum(case((Vote.person_id == person_id, Vote.value), else_=0)),
        )
        .where(Vote.caption_id.in_(ids))
        .group_by(Vote.caption_id)
    )
    found = {id: Thumbs(up, down, mine) for id, up, down, mine in rows}
    return {id: found.get(id, Thumbs()) for id in ids}
