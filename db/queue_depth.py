"""State of the queue: how many captions wait, how long a new one would take, and how far workers have come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import Caption, Model, State, now

WINDOW = timedelta(minutes=1)  # recent time over which throughput is measured
MIN_WAIT, MAX_WAIT = 10.0, 3600.0  # bounds of an estimated wait, in seconds


@dataclass(frozen=True)
class Backlog:
    """Captions that wait for a worker. oldest: when the first of them was requested."""

    photos: int
    oldest: datetime | None


def backlog(session: Session) -> Backlog:
    """How many captions wait, and since when."""
    waiting = select(func.count(), func.min(Caption.created_at)).where(Caption.state == State.QUEUED)
    photos, oldest = session.execute(waiting).one()
    return Backlog(photos, oldest)


def estimated_wait(session: Session, photos: int) -> float:
    """Seconds until half of `photos` are finished at the throughput of the last minute; MAX_WAIT if that is zero."""
    finished = select(func.count()).select_from(Caption).where(Caption.finished_at > now() - WINDOW)
    throughput = session.scalars(finished).one() / WINDOW.total_seconds()
    return min(max(photos / 2 / throughput, MIN_WAIT), MAX_WAIT) if throughput else MAX_WAIT


def newest_started(session: Session, since: datetime) -> datetime | None:
    """When the latest caption that workers have started since then was sent: how far the queue has been processed."""
    started = (Caption.state == State.RUNNING) | (Caption.finished_at > since)
    return session.scalar(select(func.max(Caption.queued_at)).where(Caption.started_at > since, started))


def bundled_version(session: Session) -> str | None:
    """The version of the bundled model: that of the latest caption whose model is not in the registry."""
    unregistered = Caption.model_version.not_in(select(Model.version))
    made = select(Caption.model_version).where(Caption.model_version.is_not(None), unregistered)
    return session.scalar(made.where(Caption.state == State.DONE).order_by(Caption.finished_at.desc()).limit(1))
