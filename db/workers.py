"""Heartbeats of workers: which are alive, and the model versions they hold."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.tables import Worker, now
from db.upsert import insert


def beat(session: Session, name: str, engine: str, versions: Sequence[str]) -> None:
    """This worker lives and can caption with these versions: the list is empty until it has loaded its model."""
    pulse = {"seen_at": now(), "engine": engine, "versions": list(versions)}
    row = insert(session, Worker).values(name=name, **pulse)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=pulse))


def leave(session: Session, name: str) -> None:
    """This worker has stopped."""
    session.execute(delete(Worker).where(Worker.name == name))


def alive(session: Session, within: timedelta) -> list[Worker]:
    """Workers that were seen lately."""
    return list(session.scalars(select(Worker).where(Worker.seen_at > now() - within).order_by(Worker.name)))


def clear_dead(session: Session, after: timedelta) -> None:
    """Forget workers that have not been seen for so long."""
    session.execute(delete(Worker).where(Worker.seen_at < now() - after))
