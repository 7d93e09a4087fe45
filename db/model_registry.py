"""Which model serves: a row, and what was done to it by whom. Workers look at it between two batches."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from db.tables import Model, Registry, RegistryEvent, now
from db.upsert import insert


class UnknownModel(Exception):
    """The registry knows no such model. `captionbot models` lists them."""


class NotPassed(Exception):
    """The judge has not passed this model, so it cannot serve."""


class NothingToRollBack(Exception):
    """The bundled model serves already: there is nothing to go back to."""


@dataclass(frozen=True)
class ServedModel:
    version: str
    folder: str  # path or URL


@dataclass(frozen=True)
class Serving:
    """What workers have to hold. None as the stable one means the bundled model."""

    stable: ServedModel | None = None
    canary: ServedModel | None = None
    percent: int = 0  # of the chats, or people in private, whose captions the canary makes


def serving(session: Session) -> Serving:
    stable, canary = aliased(Model), aliased(Model)
    found = session.execute(
        select(Registry.canary_percent, stable.version, stable.folder, canary.version, canary.folder)
        .outerjoin(stable, Registry.stable == stable.version)
        .outerjoin(canary, Registry.canary == canary.version)
    ).one_or_none()
    if found is None:
        return Serving()
    percent, version, folder, canary_version, canary_folder = found
    return Serving(
        stable=ServedModel(version, folder) if version else None,
        canary=ServedModel(canary_version, canary_folder) if canary_version else None,
        percent=percent,
    )


def uses_canary(key: str, percent: int) -> bool:
    """Whether this chat, or person in private, gets the canary. The same ones stay in when the percentage grows."""
    return int.from_bytes(hashlib.sha256(f"canary:{key}".encode()).digest()[:8]) % 100 < percent


def register(
    session: Session, version: str, folder: str, metrics: dict[str, Any], passed: bool, by: str = "captionbot"
) -> None:
    """Make a model folder known, or what is known of it new."""
    what = {"folder": folder, "metrics": metrics, "passed": passed}
    row = insert(session, Model).values(version=version, **what)
    session.execute(row.on_conflict_do_update(index_elements=["version"], set_=what))
    _note(session, "registered", version, by, passed=passed)


def refuse(session: Session, version: str, by: str, reasons: list[str]) -> None:
    """Note that a candidate was not promoted, and why."""
    _note(session, "refused", version, by, reasons=reasons)


def promote(session: Session, version: str, by: str, canary_percent: int = 0) -> None:
    """Let a model serve: everybody, or as a canary so many percent. Raises UnknownModel, NotPassed, ValueError."""
    if not 0 <= canary_percent <= 100:
        raise ValueError(f"{canary_percent} is no percentage")
    model = session.get(Model, version)
    if model is None:
        raise UnknownModel(version)
    if not model.passed:
        raise NotPassed(version)
    row = _locked(session)
    if canary_percent:
        row.canary, row.canary_percent = version, canary_percent
        _note(session, "canary", version, by, percent=canary_percent)
    else:
        if row.stable != version:
            row.previous, row.stable = row.stable, version
        row.canary, row.canary_percent = None, 0
        _note(session, "promoted", version, by, previous=row.previous)
    row.changed_at = now()


def rollback(session: Session, by: str) -> str | None:
    """Take the canary away; without one, go back to the model that served before. Returns the version that serves now.

    None is the bundled one. Raises NothingToRollBack.
    """
    row = _locked(session)
    if row.canary:
        gone, row.canary, row.canary_percent = row.canary, None, 0
    elif row.stable:
        gone, row.stable = row.stable, row.previous
        row.previous = _before(session, row.stable)
    else:
        raise NothingToRollBack
    row.changed_at = now()
    _note(session, "rolled_back", gone, by, now=row.stable)
    return row.stable


def models(session: Session) -> list[Model]:
    """All that are known, newest first."""
    return list(session.scalars(select(Model).order_by(Model.created_at.desc(), Model.version)))


def events(session: Session, limit: int = 100) -> list[RegistryEvent]:
    """What was done, the last first."""
    return list(session.scalars(select(RegistryEvent).order_by(RegistryEvent.id.desc()).limit(limit)))


def _locked(session: Session) -> Registry:
    """The one row, made if need be, so that two who change it do so one after the other."""
    session.execute(insert(session, Registry).values(id=1).on_conflict_do_nothing(index_elements=["id"]))
    row = select(Registry).where(Registry.id == 1).with_for_update()
    return session.scalars(row, execution_options={"populate_existing": True}).one()


def _before(session: Session, version: str | None) -> str | None:
    """What served before a version that was promoted some time ago."""
    last = select(RegistryEvent).where(RegistryEvent.kind == "promoted", RegistryEvent.version == version)
    promoted = session.scalars(last.order_by(RegistryEvent.id.desc()).limit(1)).one_or_none()
    return promoted.details["previous"] if promoted else None


def _note(session: Session, kind: str, version: str | None, by: str, **details: Any) -> None:
    session.add(RegistryEvent(kind=kind, version=version, by=by, details=details))
