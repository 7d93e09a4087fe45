"""Queries for monitoring: captions that finished, and votes that were given, in an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import Caption, State, Vote


@dataclass(frozen=True)
class Finished:
    """A finished or failed caption.

    Attributes:
        model: version; None if it failed before a model was chosen.
        known: its sentence was reused, so no worker was needed.
    """

    model: str | None
    front_end: str
    state: State
    known: bool
    milliseconds: float | None
    encode_milliseconds: float | None
    batch_size: int | None


def finished_captions(session: Session, since: datetime, until: datetime) -> Sequence[Finished]:
    """Captions that finished or failed in the interval (since, until]."""
    columns = (
        Caption.model_version,
        Caption.front_end,
        Caption.state,
        Caption.worker.is_(None),
        Caption.milliseconds,
        Caption.encode_milliseconds,
        Caption.batch_size,
    )
    between = select(*columns).where(Caption.finished_at > since, Caption.finished_at <= until)
    return [Finished(*row) for row in session.execute(between)]


def votes_given(session: Session, since: datetime, until: datetime) -> dict[tuple[str | None, int], int]:
    """Votes given in (since, until]: (model version, 1 or -1) -> count. A changed vote counts again."""
    between = (
        select(Caption.model_version, Vote.value, func.count())
        .join(Vote.caption)
        .where(Vote.voted_at > since, Vote.voted_at <= until)
        .group_by(Caption.model_version, Vote.value)
    )
    return {(model, value): count for model, value, count in session.execute(between)}
