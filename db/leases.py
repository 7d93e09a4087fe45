"""Leases for tasks that only one process at a time may do, such as maintenance or training."""

from datetime import timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from db.tables import Lease, now
from db.upsert import insert


def acquire(session: Session, name: str, holder: str, duration: timedelta) -> bool:
    """Take or extend a lease. Returns False if another holder has a lease that has not expired.

    A lease far longer than `duration` was taken by a clock that was ahead, and is free.
    """
    at = now()
    mine = {"holder": holder, "until": at + duration}
    row = insert(session, Lease).values(name=name, **mine)
    free = or_(Lease.until < at, Lease.until > at + 2 * duration, Lease.holder == holder)
    row = row.on_conflict_do_update(index_elements=["name"], set_=mine, where=free)
    return session.scalar(row.returning(Lease.name)) is not None


def release(session: Session, name: str, holder: str) -> None:
    """End a lease before it expires. Does nothing if another holder has it by now."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
