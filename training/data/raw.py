"""What readers have in common: they give photos with their captions as the data set has them, not yet cleaned."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from training.data.report import Report


@dataclass
class RawPhoto:
    """A photo as its data set describes it."""

    name: str  # of its file
    captions: list[str] = field(default_factory=list)
    split: str | None = None  # one of SPLITS, or LEFT_OUT; None: the data set names none


class Reader(Protocol):
    """A module that reads one format. A new format is a new module, named in dataset.READERS."""

    LOOKS_FOR: str  # names of its caption files, for people

    def find(self, path: Path) -> list[Path]:
        """The caption files in the folder `path`, or `path` itself; empty if this format is not there."""

    def read(self, files: list[Path], report: Report) -> list[RawPhoto]:
        """All photos of these files. Lines that make no sense go into the report. Raises BadData."""


def group(rows: Iterable[tuple[str, str]]) -> list[RawPhoto]:
    """Photos from (photo, caption) rows, in order of their first row."""
    photos: dict[str, RawPhoto] = {}
    for name, caption in rows:
        photos.setdefault(name, RawPhoto(name)).captions.append(caption)
    return list(photos.values())
