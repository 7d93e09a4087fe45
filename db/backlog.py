"""How much work waits, and about how long a new photo would; and which model did the latest of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import Caption, Model, State, now

WINDOW = timedelta(minutes=1)  # over which the speed is measured
SHORTEST, LONGEST = 10.0, 3600.0  # seconds that somebody is told to wait


@dataclass(frozen=True)
class Backlog:
    """photos: captions that wait for a worker. oldest: when the first of them was asked for."""

    photos: int
    oldest: datetime | None


def backlog(session: Session) -> Backlog:
    waiting = select(func.count(), func.min(Caption.created_at)).where(Caption.state == State.QUEUED)
    photos, oldest = session.execute(waiting).one()
    return Backlog(photos, oldest)


def seconds_to_wait(session: Session, photos: int) -> float:
    """Until about half of so many are done, at the speed of the last minute; an hour if nothing moves."""
    finished = select(func.count()).select_from(Caption).where(Caption.finished_at > now() - WINDOW)
    a_second = session.scalars(finished).one() / WINDOW.total_seconds()
    return min(max(photos / 2 / a_second, SHORTEST), LONGEST) if a_second else LONGEST


def newest_started(session: Session, since: datetime) -> datetime | None:
    """Of the captions that workers began since then, when the one sent last was sent: so far the queue has got."""
    lately = (Caption.state == State.RUNNING) | (Caption.finished_at > since)
    return session.scalar(select(func.max(Caption.queued_at)).where(Caption.started_at > since, lately))


def bundled_version(session: Session) -> str | None:
    """The version of the model that serves while the registry names none: what made the latest such caption."""
    unregistered = Caption.model_version.not_in(select(Model.version))
    made = select(Caption.model_version).where(Caption.model_version.is_not(None), unregistered)
    return session.scalar(made.where(Caption.state == State.DONE).order_by(Caption.finished_at.desc()).limit(1))
