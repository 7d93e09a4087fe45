"""What every reader yields: photos with their captions as the data set has them, not yet cleaned."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class RawPhoto:
    """A photo as its data set describes it."""

    name: str  # of its file
    captions: list[str] = field(default_factory=list)
    split: str | None = None  # one of SPLITS, or LEFT_OUT; None: the data set names none


def group(rows: Iterable[tuple[str, str]]) -> list[RawPhoto]:
    """Photos from (photo, caption) rows, in order of their first row."""
    photos: dict[str, RawPhoto] = {}
    for name, caption in rows:
        photos.setdefault(name, RawPhoto(name)).captions.append(caption)
    return list(photos.values())
