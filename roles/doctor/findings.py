"""What a check finds, and what checks of several kinds need."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from model.errors import CaptionbotError


@dataclass(frozen=True)
class Finding:
    """The result of a check."""

    check: str
    ok: bool
    message: str  # what was found and, if it is wrong, what to do
    skipped: bool = False  # it is switched off, so there is nothing to check

    @property
    def status(self) -> str:
        """In one word: ok, skip or WRONG."""
        return "skip" if self.skipped else "ok" if self.ok else "WRONG"


class Skipped(Exception):
    """What a check is about is switched off. The text says how to switch it on."""


def check_can_create(folder: Path, setting: str) -> None:
    """Raise CaptionbotError if a folder that is missing could not be created. It is removed again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaptionbotError(f"{folder} cannot be created ({error.strerror}). Change {setting}.") from None
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
