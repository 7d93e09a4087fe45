"""Keeps the models loaded that the registry in the database names: a new one is warmed up in the background first.

A job keeps the model that it was given, so a change neither delays a job nor loses one. Each caption's row has the
version of its model.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.model_registry import ServedModel, Serving, uses_canary
from db.outages import noted
from model.captioner import Captioner
from model.errors import one_line

log = logging.getLogger(__name__)

POLL = 1.0  # seconds between two reads of the registry
NBEST = 3  # sentences that a job asks for; the engine is warmed up for as many
RETRY = 30.0  # seconds until a model that could not be loaded is tried again


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. version: its name in the registry; the bundled model's is its own."""

    version: str
    captioner: Captioner


@dataclass(frozen=True)
class _Served:
    """The models in use; replaced as a whole. percent: of chats and people, who get the canary."""

    stable: LoadedModel
    canary: LoadedModel | None = None
    percent: int = 0


def load_warm(
    folder: Path, engine: str, *, device: str, max_batch: int, beams: int, neutral_wording: bool = False
) -> Captioner:
    """Load a captioner and warm it up: first batches take longer. Raises DamagedModel, UnavailableEngine."""
    captioner = Captioner.load(folder, engine, device=device, neutral_wording=neutral_wording)
    captioner.warm_up(max_batch, beams=beams, nbest=min(beams, NBEST))
    return captioner


class CurrentModel:
    """Follows the registry between start() and stop(), in a thread of its own."""

    def __init__(self, load: Callable[[Path], Captioner], serving: Callable[[], Serving], bundled: Path):
        """
        Args:
            load: a model folder to a captioner that is warmed up.
            serving: reads the registry.
            bundled: the model folder to use while the registry names none.
        """
        self._load, self._serving, self._bundled = load, serving, bundled
        self._now: _Served | None = None
        self._before: LoadedModel | None = (
            None  # the stable model until the last change, for a rollback without loading
        )
        self._loaded: dict[Path, LoadedModel] = {}
        self._failed: dict[Path, float] = {}  # when it may be tried again, as time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="current-model", daemon=True)

    def start(self) -> None:
        """Load the models in use, or else the bundled one. Raises DamagedModel, UnavailableEngine."""
        self.refresh()
        if self._now is None:
            self._now = _Served(self._open(None))
        self._thread.start()

    def stop(self) -> None:
        """Follow the registry no longer. Does not wait for a model that is being loaded."""
        self._stop.set()

    def choose(self, key: str) -> LoadedModel:
        """The model for a job of this chat or person: always the same one while the registry does not change."""
        now = self._now
        assert now is not None, "start() comes first"
        return now.canary if now.canary and uses_canary(key, now.percent) else now.stable

    @property
    def versions(self) -> list[str]:
        """The versions in use: the stable model's, then the canary's."""
        now = self._now
        return [model.version for model in (now.stable, now.canary) if model] if now else []

    def refresh(self) -> None:
        """Read the registry and load what it names. A model that cannot be loaded is logged, and nothing changes."""
        try:
            serving = self._serving()
        except Exception as error:  # the database is away for a moment
            if not noted(error):
                log.warning("the model registry cannot be read, the model stays as it is: %s", one_line(error))
            return
        stable = self._get(serving.stable) or (self._now.stable if self._now else None)
        canary = self._get(serving.canary) if serving.canary and serving.percent else None
        if stable is None:
            return
        now = _Served(stable, canary, serving.percent if canary else 0)
        if now != self._now:
            log.info("model %s serves%s", stable.version, f", {canary.version} to {now.percent} %" if canary else "")
        if self._now and stable != self._now.stable:
            self._before = self._now.stable
        self._now, kept = now, (stable, canary, self._before)
        self._loaded = {folder: model for folder, model in self._loaded.items() if model in kept}

    def _get(self, wanted: ServedModel | None) -> LoadedModel | None:
        """The model, loaded if need be; None if it cannot be loaded now."""
        folder = self._folder(wanted)
        if folder in self._loaded:
            return self._loaded[folder]
        if time.monotonic() < self._failed.get(folder, 0):
            return None
        try:
            return self._open(wanted)
        except Exception as error:
            log.error("model %s cannot be loaded, another one serves: %s", folder, error)
            self._failed[folder] = time.monotonic() + RETRY
            return None

    def _open(self, wanted: ServedModel | None) -> LoadedModel:
        folder = self._folder(wanted)
        captioner = self._load(folder)
        self._loaded[folder] = LoadedModel(wanted.version if wanted else captioner.version, captioner)
        return self._loaded[folder]

    def _folder(self, wanted: ServedModel | None) -> Path:
        return Path(wanted.folder) if wanted else self._bundled

    def _watch(self) -> None:
        while not self._stop.wait(POLL):
            self.refresh()
