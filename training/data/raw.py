"""The interface of readers: they return photos and captions as the data set has them, not yet cleaned."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from training.data.report import Report

# Who wrote a caption: a person; a model that looked at the photo; a rule, from other texts about the photo.
SOURCES = HUMAN, MACHINE, DERIVED = ("human", "machine", "derived")


@dataclass
class RawPhoto:
    """A photo with its captions and split, as in its data set."""

    name: str  # of its file
    captions: list[str] = field(default_factory=list)
    split: str | None = None  # one of SPLITS, or LEFT_OUT; None: the data set names none
    sources: list[str] = field(default_factory=list)  # of each caption, one of SOURCES; empty: all are HUMAN


class Reader(Protocol):
    """A module that reads one format. To add a format, write a module and name it in dataset.READERS."""

    CAPTION_FILES: str  # names of its caption files, for error messages

    def find(self, path: Path) -> list[Path]:
        """Return the caption files in the folder `path`, or `path` itself; empty if it is not in this format."""

    def read(self, files: list[Path], report: Report) -> list[RawPhoto]:
        """Read all photos of these files. Malformed lines are named in the report. Raises BadData."""


def group_by_photo(rows: Iterable[tuple[str, str]]) -> list[RawPhoto]:
    """Group (photo, caption) rows by photo, in the order of their first rows."""
    photos: dict[str, RawPhoto] = {}
    for name, caption in rows:
        photos.setdefault(name, RawPhoto(name)).captions.append(caption)
    return list(photos.values())
