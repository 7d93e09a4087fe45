"""Tables of the model registry: which models there are, which of them serves, and who changed that."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.clock import now
from db.tables.base import Base


class Model(Base):
    """A model in the registry."""

    __tablename__ = "models"

    version: Mapped[str] = mapped_column(String(100), primary_key=True)
    folder: Mapped[str]  # path or URL
    passed: Mapped[bool] = mapped_column(default=False)  # its evaluation; only such models can be promoted
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Registry(Base):
    """Which model serves: one row with id 1. Without it the bundled model serves."""

    __tablename__ = "registry"

    id: Mapped[int] = mapped_column(primary_key=True)
    stable: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # None: the bundled model
    previous: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # target of a rollback; None: bundled
    canary: Mapped[str | None] = mapped_column(ForeignKey("models.version"))
    canary_percent: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(default=now)


class RegistryEvent(Base):
    """A change of the registry, and who made it."""

    __tablename__ = "registry_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(20))  # registered, promoted, canary, rolled_back, refused
    version: Mapped[str | None] = mapped_column(String(100))
    by: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
