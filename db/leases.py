"""Tasks that one process at a time may do, such as clearing away or learning. The database is the referee."""

from datetime import timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from db.tables import Lease, now
from db.upsert import insert


def take(session: Session, name: str, holder: str, duration: timedelta) -> bool:
    """Whether the task is this holder's until then: it was free, its lease had expired, or it was theirs already."""
    mine = {"holder": holder, "until": now() + duration}
    row = insert(session, Lease).values(name=name, **mine)
    free = or_(Lease.until < now(), Lease.holder == holder)
    row = row.on_conflict_do_update(index_elements=["name"], set_=mine, where=free)
    return session.scalar(row.returning(Lease.name)) is not None


def give_back(session: Session, name: str, holder: str) -> None:
    """Others need not wait for its end. Nothing happens if somebody else has it by now."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
