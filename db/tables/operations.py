"""Tables of what runs and of what is still to be done: workers, leases of tasks, exports, erasures."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.clock import now
from db.column_types import OptionalJson
from db.tables.base import Base


class Worker(Base):
    """The last heartbeat of a worker, and the model versions that it has loaded."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # host:pid:random
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    engine: Mapped[str] = mapped_column(String(50))
    versions: Mapped[list[str]] = mapped_column(default=list)


class Lease(Base):
    """A task that only one process at a time may do, such as maintenance or training."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    until: Mapped[datetime]


class KeptExport(Base):
    """An export of feedback that lies in a folder, or is being written: whose data it contains."""

    __tablename__ = "exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str]  # absolute path
    draft: Mapped[str | None]  # the folder in which it is being written; None: it is complete
    people: Mapped[list[int]] = mapped_column(OptionalJson)  # row ids
    created_at: Mapped[datetime] = mapped_column(default=now)


class Erasure(Base):
    """What is still to be deleted of somebody whose rows are gone. The row is deleted when nothing is left."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    photos: Mapped[list[str]]  # SHA-256 of photos that no row needed when they were listed
    folders: Mapped[list[str]]  # exports, and drafts of exports
