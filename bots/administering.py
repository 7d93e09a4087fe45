"""What admins do with models and feedback. Front-ends ask `is_admin` first."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bots.errors import ExportTooLarge, ModelNotPassed, NoFeedback, NothingToRollBack, UnknownModel
from bots.service_base import ServiceBase
from db import feedback_export, model_registry


@dataclass(frozen=True)
class ModelView:
    """A model that the registry knows. percent: of chats and people that it captions for."""

    version: str
    passed: bool
    percent: int


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

    def export(self, limit: int) -> bytes:
        """Feedback with its photos as a ZIP file of at most `limit` bytes. Raises NoFeedback, ExportTooLarge."""
        with tempfile.TemporaryDirectory() as folder:
            exported = feedback_export.export(self._sessions, self._store, Path(folder) / "feedback")
            if not exported.counts.captions:
                raise NoFeedback
            path = Path(folder) / "feedback.zip"
            feedback_export.archive(exported.folder, path)
            if path.stat().st_size > limit:
                raise ExportTooLarge(megabytes=path.stat().st_size / 1e6)
            return path.read_bytes()
