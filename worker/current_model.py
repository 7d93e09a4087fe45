"""The models that serve now, as the registry in the database says: loaded and warmed up aside, then swapped in.

A job keeps the model it was given, so a change makes no job wait and loses none. Each row carries its version.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.model_registry import ServedModel, Serving, uses_canary
from model.captioner import Captioner

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at the registry
SENTENCES = 3  # that a job asks for: for these an engine is set up
RETRY = 30.0  # seconds until a model that could not be loaded is tried again


@dataclass(frozen=True)
class LoadedModel:
    """version: the registry's name for it; of the bundled model its own."""

    version: str
    captioner: Captioner


@dataclass(frozen=True)
class _Now:
    """What serves; replaced as a whole. percent: of chats and people who get the canary."""

    stable: LoadedModel
    canary: LoadedModel | None = None
    percent: int = 0


def load_warm(
    folder: Path, engine: str, *, device: str, max_batch: int, beams: int, neutral_wording: bool = False
) -> Captioner:
    """A captioner that has worked: the first batch of a size takes longer. Raises what Captioner.load raises."""
    captioner = Captioner.load(folder, engine, device=device, neutral_wording=neutral_wording)
    captioner.warm_up(max_batch, beams=beams, nbest=min(beams, SENTENCES))
    return captioner


class CurrentModel:
    """Between start() and stop() a thread of its own looks at the registry."""

    def __init__(self, load: Callable[[Path], Captioner], serving: Callable[[], Serving], bundled: Path):
        """load: a model folder to a captioner that is warm. serving: what the registry says.

        bundled: the model folder that serves while the registry names none.
        """
        self._load, self._serving, self._bundled = load, serving, bundled
        self._now: _Now | None = None
        self._before: LoadedModel | None = None  # the stable model until the last change: going back takes no loading
        self._loaded: dict[Path, LoadedModel] = {}
        self._failed: dict[Path, float] = {}  # when it may be tried again, as time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="current-model", daemon=True)

    def start(self) -> None:
        """Load what serves, or the bundled model if that cannot be had. Raises what loading the bundled one raises."""
        self.look()
        if self._now is None:
            self._now = _Now(self._open(None))
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A model that is being loaded is not waited for."""
        self._stop.set()

    def choose(self, key: str) -> LoadedModel:
        """The model for a job of this chat or person, who keeps it as long as the registry stays as it is."""
        now = self._now
        assert now is not None, "start() comes first"
        return now.canary if now.canary and uses_canary(key, now.percent) else now.stable

    @property
    def versions(self) -> list[str]:
        """What is held: the stable model, then the canary."""
        now = self._now
        return [model.version for model in (now.stable, now.canary) if model] if now else []

    def look(self) -> None:
        """Do as the registry says. What cannot be loaded changes nothing but the log."""
        try:
            serving = self._serving()
        except Exception as error:  # the database is away for a moment
            log.warning("the model registry cannot be read, the model stays as it is: %s", error)
            return
        stable = self._get(serving.stable) or (self._now.stable if self._now else None)
        canary = self._get(serving.canary) if serving.canary and serving.percent else None
        if stable is None:
            return
        now = _Now(stable, canary, serving.percent if canary else 0)
        if now != self._now:
            log.info("model %s serves%s", stable.version, f", {canary.version} to {now.percent} %" if canary else "")
        if self._now and stable != self._now.stable:
            self._before = self._now.stable
        self._now, kept = now, (stable, canary, self._before)
        self._loaded = {folder: model for folder, model in self._loaded.items() if model in kept}

    def _get(self, wanted: ServedModel | None) -> LoadedModel | None:
        """The model; None if it cannot be had now."""
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
        while not self._stop.wait(LOOK):
            self.look()
