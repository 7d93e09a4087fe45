"""Commands of admins: statistics, models and exports. Front-ends check `service.people.is_admin` first."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bots.errors import ExportTooLarge, ModelNotPassed, NoFeedback, NoNewFeedback, NothingToRollBack, UnknownModel
from bots.service.base import Backend
from db import feedback_export, model_registry, people
from db.statistics import Statistics, statistics
from db.tables import now


@dataclass(frozen=True)
class ModelView:
    """A registered model. percent: the share of chats, and of people in private, that it serves."""

    version: str
    passed: bool
    percent: int


@dataclass(frozen=True)
class Export:
    """Feedback as a ZIP file. until: the time up to which feedback is included."""

    data: bytes
    until: datetime


class Admin:
    """`service.admin`."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def stats(self, since: datetime | None = None) -> Statistics:
        """Approval, volume and speed by model version and front-end. `str()` of the result is a table."""
        with self._backend.reading() as session:
            return statistics(session, since)

    def models(self) -> list[ModelView]:
        """All registered models, newest first. The bundled model is not registered."""
        with self._backend.reading() as session:
            serving = model_registry.serving(session)
            share = {serving.canary.version: serving.percent} if serving.canary else {}
            if serving.stable:
                share[serving.stable.version] = 100 - sum(share.values())
            known = model_registry.models(session)
            return [ModelView(model.version, model.passed, share.get(model.version, 0)) for model in known]

    def promote(self, version: str, *, by: str, percent: int = 0) -> None:
        """Let a model serve everybody, or a percentage as a canary.

        Raises:
            UnknownModel
            ModelNotPassed
        """
        try:
            with self._backend.sessions.begin() as session:
                model_registry.promote(session, version, by, percent)
        except model_registry.UnknownModel:
            raise UnknownModel(version=version) from None
        except model_registry.NotPassed:
            with self._backend.sessions.begin() as session:
                model_registry.refuse(session, version, by, ["not passed"])
            raise ModelNotPassed(version=version) from None

    def rollback(self, *, by: str) -> str | None:
        """Remove the canary, or go back to the previous model.

        Returns:
            The version that serves now; None for the bundled model.

        Raises:
            NothingToRollBack
        """
        try:
            with self._backend.sessions.begin() as session:
                return model_registry.rollback(session, by)
        except model_registry.NothingToRollBack:
            raise NothingToRollBack from None

    def export(self, limit: int, *, by: str, everything: bool = False) -> Export:
        """Export the feedback since this admin's last export, with the photos.

        Args:
            limit: maximum size of the ZIP file in bytes.
            by: key of the admin.
            everything: export all feedback, not only what is new.

        Raises:
            NoFeedback
            NoNewFeedback
            ExportTooLarge
        """
        until, since = now(), None if everything else self._last_export(by)
        with tempfile.TemporaryDirectory() as folder:
            exported = feedback_export.export(
                self._backend.sessions, self._backend.store, Path(folder) / "feedback", since=since, kept=False
            )
            if not exported.counts.captions:
                raise NoNewFeedback if since else NoFeedback
            path = Path(folder) / "feedback.zip"
            feedback_export.archive(exported.folder, path)
            if path.stat().st_size > limit:
                raise ExportTooLarge(path.stat().st_size)
            return Export(path.read_bytes(), until)

    def confirm_export(self, export: Export, *, by: str) -> None:
        """Note that the admin has received an export, so that their next one starts where it ended."""
        with self._backend.sessions.begin() as session:
            people.set_last_export(session, by, export.until)

    def _last_export(self, by: str) -> datetime | None:
        with self._backend.reading() as session:
            admin = people.find(session, by)
            return admin.last_export_at if admin else None
