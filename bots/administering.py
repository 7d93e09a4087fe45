"""What admins do with models and feedback. Front-ends ask `is_admin` first."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bots.errors import ExportTooLarge, ModelNotPassed, NoFeedback, NoNewFeedback, NothingToRollBack, UnknownModel
from bots.service_base import ServiceBase
from db import feedback_export, model_registry, people
from db.tables import now

LAST_EXPORT = "last_export"  # among an admin's preferences


@dataclass(frozen=True)
class ModelView:
    """A model that the registry knows. percent: of chats and people that it captions for."""

    version: str
    passed: bool
    percent: int


@dataclass(frozen=True)
class Export:
    """Feedback as a ZIP file, and until when it goes."""

    data: bytes
    until: datetime


class Administering(ServiceBase):
    def models(self) -> list[ModelView]:
        """All that are known, newest first; the bundled one is not among them."""
        with self._reading() as session:
            serving = model_registry.serving(session)
            share = {serving.canary.version: serving.percent} if serving.canary else {}
            if serving.stable:
                share[serving.stable.version] = 100 - sum(share.values())
            known = model_registry.models(session)
            return [ModelView(model.version, model.passed, share.get(model.version, 0)) for model in known]

    def promote(self, version: str, *, by: str, percent: int = 0) -> None:
        """Let a model serve: everybody, or so many percent first. Raises UnknownModel, ModelNotPassed."""
        try:
            with self._sessions.begin() as session:
                model_registry.promote(session, version, by, percent)
        except model_registry.UnknownModel:
            raise UnknownModel(version=version) from None
        except model_registry.NotPassed:
            with self._sessions.begin() as session:
                model_registry.refuse(session, version, by, ["not passed"])
            raise ModelNotPassed(version=version) from None

    def rollback(self, *, by: str) -> str | None:
        """Go back to the model before; returns the one that serves now, None for the bundled one.

        Raises NothingToRollBack.
        """
        try:
            with self._sessions.begin() as session:
                return model_registry.rollback(session, by)
        except model_registry.NothingToRollBack:
            raise NothingToRollBack from None

    def export(self, limit: int, *, by: str, everything: bool = False) -> Export:
        """Feedback since this admin's last export, with its photos. limit: of the file, in bytes.

        Raises NoFeedback, NoNewFeedback, ExportTooLarge.
        """
        until, since = now(), None if everything else self._last_export(by)
        with tempfile.TemporaryDirectory() as folder:
            exported = feedback_export.export(self._sessions, self._store, Path(folder) / "feedback", since=since)
            if not exported.counts.captions:
                raise NoNewFeedback if since else NoFeedback
            path = Path(folder) / "feedback.zip"
            feedback_export.archive(exported.folder, path)
            if path.stat().st_size > limit:
                raise ExportTooLarge(megabytes=path.stat().st_size / 1e6)
            return Export(path.read_bytes(), until)

    def exported(self, export: Export, *, by: str) -> None:
        """The admin has the file: their next export begins where it ends."""
        with self._sessions.begin() as session:
            people.prefer(session, by, {LAST_EXPORT: export.until.isoformat()})

    def _last_export(self, by: str) -> datetime | None:
        with self._reading() as session:
            admin = people.find(session, by)
            last = admin.preferences.get(LAST_EXPORT) if admin else None
        return datetime.fromisoformat(last) if last else None
