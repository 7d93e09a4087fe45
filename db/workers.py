"""Heartbeats of workers: which are alive, and which model versions they have loaded."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from db.tables import Worker, now
from db.upsert import insert

ALIVE = timedelta(seconds=30)  # a worker sends a heartbeat every eight seconds; see worker/heartbeat.py


def beat(session: Session, name: str, engine: str, versions: Sequence[str]) -> None:
    """Store a heartbeat. `versions` are the models that the worker has loaded; none while it still loads the first."""
    heartbeat = {"seen_at": now(), "engine": engine, "versions": list(versions)}
    row = insert(session, Worker).values(name=name, **heartbeat)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=heartbeat))


def leave(session: Session, name: str) -> None:
    """Remove a worker that has stopped."""
    session.execute(delete(Worker).where(Worker.name == name))


def alive(session: Session, within: timedelta = ALIVE) -> list[Worker]:
    """Workers whose last heartbeat is at most so long ago, by name. One in the future is of a clock that was ahead."""
    at = now()
    seen = Worker.seen_at.between(at - within, at + within)
    return list(session.scalars(select(Worker).where(seen).order_by(Worker.name)))


def clear_dead(session: Session, after: timedelta) -> None:
    """Remove workers whose last heartbeat is older than this, or so far ahead. One that lives soon has a new one."""
    at = now()
    session.execute(delete(Worker).where(or_(Worker.seen_at < at - after, Worker.seen_at > at + ALIVE)))
