"""What monitoring counts: captions that were finished and thumbs that were given in a stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import Caption, State, Vote


@dataclass(frozen=True)
class Finished:
    """One caption. model: None of one that failed before a model saw it. known: it needed no engine."""

    model: str | None
    front_end: str
    state: State
    known: bool
    milliseconds: float | None
    encode_milliseconds: float | None
    batch_size: int | None


def finished(session: Session, since: datetime, until: datetime) -> Sequence[Finished]:
    """Captions that were done or failed after `since` and not after `until`."""
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


def voted(session: Session, since: datetime, until: datetime) -> dict[tuple[str | None, int], int]:
    """Thumbs given meanwhile: (model version, 1 or -1) -> how many. Who thinks again counts again."""
    between = (
        select(Caption.model_version, Vote.value, func.count())
        .join(Vote.caption)
        .where(Vote.voted_at > since, Vote.voted_at <= until)
        .group_by(Caption.model_version, Vote.value)
    )
    return {(model, value): count for model, value, count in session.execute(between)}
