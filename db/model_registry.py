"""The model registry: which model serves, and a log of changes. Workers read it between batches."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from db.hash_buckets import bucket
from db.tables import Model, Registry, RegistryEvent, now
from db.upsert import insert


class UnknownModel(Exception):
    """The registry knows no such model. `captionbot models` lists them."""


class NotPassed(Exception):
    """The model has not passed evaluation, so it cannot serve."""


class NothingToRollBack(Exception):
    """The bundled model serves already: there is nothing to go back to."""


@dataclass(frozen=True)
class ServedModel:
    """A model that workers have to load."""

    version: str
    folder: str  # path or URL


@dataclass(frozen=True)
class Serving:
    """The models that workers have to load. If `stable` is None, the bundled model serves."""

    stable: ServedModel | None = None
    canary: ServedModel | None = None
    percent: int = 0  # share of chats, and of people in private chats, that the canary serves


def serving(session: Session) -> Serving:
    """The models that serve now."""
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
    """Whether the canary serves this chat, or this person in private. A larger percentage keeps all who had it."""
    return bucket(key, 100, salt="canary") < percent


def register(
    session: Session, version: str, folder: str, metrics: dict[str, Any], passed: bool, by: str = "captionbot"
) -> None:
    """Add a model folder to the registry, or update its entry. passed: whether it passed evaluation."""
    columns = {"folder": folder, "metrics": metrics, "passed": passed}
    row = insert(session, Model).values(version=version, **columns)
    session.execute(row.on_conflict_do_update(index_elements=["version"], set_=columns))
    _log(session, "registered", version, by, passed=passed)


def refuse(session: Session, version: str, by: str, reasons: list[str]) -> None:
    """Log that a candidate was not promoted, and why."""
    _log(session, "refused", version, by, reasons=reasons)


def promote(session: Session, version: str, by: str, canary_percent: int = 0) -> None:
    """Let a model serve everybody, or a percentage as a canary.

    Raises:
        UnknownModel
        NotPassed
        ValueError: the percentage is not between 0 and 100.
    """
    if not 0 <= canary_percent <= 100:
        raise ValueError(f"{canary_percent} is not a percentage between 0 and 100")
    model = session.get(Model, version)
    if model is None:
        raise UnknownModel(version)
    if not model.passed:
        raise NotPassed(version)
    row = _locked(session)
    if canary_percent:
        row.canary, row.canary_percent = version, canary_percent
        _log(session, "canary", version, by, percent=canary_percent)
    else:
        if row.stable != version:
            row.previous, row.stable = row.stable, version
        row.canary, row.canary_percent = None, 0
        _log(session, "promoted", version, by, previous=row.previous)
    row.changed_at = now()


def rollback(session: Session, by: str) -> str | None:
    """Remove the canary; if there is none, go back to the previous model.

    Returns:
        The version that serves now; None for the bundled model.

    Raises:
        NothingToRollBack: the bundled model serves already, without a canary.
    """
    row = _locked(session)
    if row.canary:
        removed, row.canary, row.canary_percent = row.canary, None, 0
    elif row.stable:
        removed, row.stable = row.stable, row.previous
        row.previous = _before(session, row.stable)
    else:
        raise NothingToRollBack
    row.changed_at = now()
    _log(session, "rolled_back", removed, by, now=row.stable)
    return row.stable


def models(session: Session) -> list[Model]:
    """All registered models, newest first."""
    return list(session.scalars(select(Model).order_by(Model.created_at.desc(), Model.version)))


def events(session: Session, limit: int = 100) -> list[RegistryEvent]:
    """The log of changes, newest first."""
    return list(session.scalars(select(RegistryEvent).order_by(RegistryEvent.id.desc()).limit(limit)))


def _locked(session: Session) -> Registry:
    """The only row, created if needed, locked so that concurrent changes happen one after the other."""
    session.execute(insert(session, Registry).values(id=1).on_conflict_do_nothing(index_elements=["id"]))
    row = select(Registry).where(Registry.id == 1).with_for_update()
    return session.scalars(row, execution_options={"populate_existing": True}).one()


def _before(session: Session, version: str | None) -> str | None:
    """The version that served before this one was last promoted."""
    last = select(RegistryEvent).where(RegistryEvent.kind == "promoted", RegistryEvent.version == version)
    promoted = session.scalars(last.order_by(RegistryEvent.id.desc()).limit(1)).one_or_none()
    return promoted.details["previous"] if promoted else None


def _log(session: Session, kind: str, version: str | None, by: str, **details: Any) -> None:
    session.add(RegistryEvent(kind=kind, version=version, by=by, details=details))
