"""State of the queue: how many captions wait, how long a new one would take, and how far workers have come."""

from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from db import workers
from db.tables import Caption, Model, Person, State

LATEST = 100  # captions by which the speed is estimated
MIN_WAIT, MAX_WAIT = 10.0, 600.0  # bounds of an estimated wait, in seconds
UNKNOWN_WAIT = 60.0  # seconds; a worker that starts takes a few


@dataclass(frozen=True)
class Backlog:
    """Captions that wait for a worker. oldest: when the first of them was requested."""

    photos: int
    oldest: datetime | None


@dataclass(frozen=True)
class Waiting:
    """How many captions wait for a worker: in total, those of one person, and those of one chat."""

    total: int
    of_person: int
    of_chat: int
    people: int  # who have any that wait


def backlog(session: Session) -> Backlog:
    """How many captions wait, and since when."""
    waiting = select(func.count(), func.min(Caption.created_at)).where(Caption.state == State.QUEUED)
    photos, oldest = session.execute(waiting).one()
    return Backlog(photos, oldest)


def waiting(session: Session, person: str, chat: str | None) -> Waiting:
    """How many captions wait. person, chat: their keys."""
    sender = select(Person.id).where(Person.key == person).scalar_subquery()
    counts = select(
        func.count(),
        func.count().filter(Caption.person_id == sender),
        func.count().filter(false() if chat is None else Caption.chat == chat),
        func.count(Caption.person_id.distinct()),
    )
    return Waiting(*session.execute(counts.where(Caption.state == State.QUEUED)).one())


def estimated_wait(session: Session, photos: int) -> float:
    """Seconds until half of `photos` are finished, by the speed of the latest batches and the number of live workers.

    UNKNOWN_WAIT where no worker lives or none has finished anything yet.
    """
    latest = (
        select(Caption.milliseconds, Caption.batch_size)
        .where(Caption.milliseconds.is_not(None), Caption.batch_size > 0)
        .order_by(Caption.finished_at.desc())
        .limit(LATEST)
    )
    each = [milliseconds / 1000 / size for milliseconds, size in session.execute(latest) if milliseconds and size]
    at_work = len(workers.alive(session))
    if not each or not at_work:
        return UNKNOWN_WAIT
    return min(max(photos / 2 * fmean(each) / at_work, MIN_WAIT), MAX_WAIT)


def has_idle_worker(session: Session) -> bool:
    """Whether a live worker holds no caption."""
    busy = set(session.scalars(select(Caption.worker).where(Caption.state == State.RUNNING).distinct()))
    return any(worker.name not in busy for worker in workers.alive(session))


def bundled_version(session: Session) -> str | None:
    """The version of the bundled model: that of the latest caption whose model is not in the registry."""
    unregistered = Caption.model_version.not_in(select(Model.version))
    made = select(Caption.model_version).where(Caption.model_version.is_not(None), unregistered)
    return session.scalar(made.where(Caption.state == State.DONE).order_by(Caption.finished_at.desc()).limit(1))
