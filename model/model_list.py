"""Find model folders and check them as when they are loaded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import DamagedModel
from model.model_folder import MANIFEST, load_model


@dataclass(frozen=True)
class ListedModel:
    """A model folder's entry in `captionbot models`."""

    folder: Path
    version: str
    decoder: str
    words: int  # size of the vocabulary
    cider: float | None  # on the validation photos, from metrics.json


def find_models(folders: Iterable[Path]) -> Iterator[ListedModel | DamagedModel]:
    """All model folders in or below these folders, sorted by path; for a damaged one the error."""
    for manifest in sorted({path for folder in folders for path in folder.rglob(MANIFEST)}):
        try:
            stored = load_model(manifest.parent)
        except DamagedModel as error:
            yield error
            continue
        cider = _figure(stored.metrics, "validation", "figures", "cider", "value")
        yield ListedModel(manifest.parent, stored.version, stored.config.decoder, len(stored.vocabulary), cider)


def _figure(metrics: Any, *path: str) -> float | None:
    """A figure of metrics.json, whose keys are free; None if it is not there."""
    for name in path:
        metrics = metrics.get(name) if isinstance(metrics, dict) else None
    return float(metrics) if isinstance(metrics, int | float) else None
