"""Which model folders there are, each checked as it is when it is loaded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import MANIFEST, load_model
from model.errors import DamagedModel


@dataclass(frozen=True)
class ListedModel:
    """What a list says of a model folder."""

    folder: Path
    version: str
    decoder: str
    words: int  # size of the vocabulary
    cider: float | None  # on the validation photos, as metrics.json has it


def find_models(folders: Iterable[Path]) -> Iterator[ListedModel | DamagedModel]:
    """All model folders in or under these, sorted; in the place of a damaged one, what is wrong with it."""
    for manifest in sorted({path for folder in folders for path in folder.rglob(MANIFEST)}):
        try:
            stored = load_model(manifest.parent)
        except DamagedModel as error:
            yield error
            continue
        cider = stored.metrics.get("validation", {}).get("figures", {}).get("cider", {}).get("value")
        yield ListedModel(manifest.parent, stored.version, stored.config.decoder, len(stored.vocabulary), cider)
