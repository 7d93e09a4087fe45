"""Decides which photos get a description, and writes it."""

import enum
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from model.captioner import Prediction
from model.errors import CaptionbotError
from roles.descriptions.exiftool import Metadata, MetadataTool, NotWritten, metadata_tool
from roles.descriptions.files import put_in_place, sidecar_of

Place = Literal["xmp", "file"]
READ_AT_ONCE = 100  # files


class Outcome(enum.StrEnum):
    """What became of the description of a photo; the texts are an interface for programs."""

    WRITTEN = "written"
    WOULD_BE_WRITTEN = "would be written"
    SAME = "is there already"
    HAS_TEXT = "has a text"
    UNSURE = "not sure enough"
    NO_PHOTO = "no photo"


class DescriptionWriter:
    """Writes descriptions into sidecars (xmp) or into the files themselves (file).

    Args:
        overwrite: replace a text that is there, whoever wrote it.
        min_confidence: 0 to 1; a sentence with less is not written.
    """

    def __init__(
        self, tool: MetadataTool, place: Place, *, overwrite: bool, min_confidence: float, dry_run: bool
    ) -> None:
        self._tool, self._place = tool, place
        self._overwrite, self._min_confidence, self._dry_run = overwrite, min_confidence, dry_run
        self.outcomes: Counter[Outcome] = Counter()

    def without_text(self, photos: Sequence[Path]) -> list[Path]:
        """The photos that have no text yet, in the file or in its sidecar; with `overwrite` all of them."""
        if self._overwrite:
            return list(photos)
        left = []
        for start in range(0, len(photos), READ_AT_ONCE):
            some = photos[start : start + READ_AT_ONCE]
            sidecars = [path for path in map(sidecar_of, some) if path.exists()]
            found = dict(zip([*some, *sidecars], self._tool.read([*some, *sidecars]), strict=True))
            left += [
                photo
                for photo in some
                if not any(found[path].text for path in (photo, sidecar_of(photo)) if path in found)
            ]
        self.outcomes[Outcome.HAS_TEXT] += len(photos) - len(left)
        return left

    def write(self, photo: Path, prediction: Prediction) -> tuple[Outcome, Path]:
        """Write a description. Returns what was done, and the file that holds it or would.

        Raises:
            CaptionbotError: the file cannot be written; it is as it was.
        """
        target = sidecar_of(photo) if self._place == "xmp" else photo
        outcome = self._write(photo, target, prediction)
        self.outcomes[outcome] += 1
        return outcome, target

    def _write(self, photo: Path, target: Path, prediction: Prediction) -> Outcome:
        if not prediction.is_photo:
            return Outcome.NO_PHOTO
        if prediction.confidence < self._min_confidence:
            return Outcome.UNSURE
        found = self._tool.read([target])[0] if target.exists() else Metadata()
        if found.description == found.alt_text == prediction.text:
            return Outcome.SAME
        before = _version(target)
        try:
            with self._tool.described(target, prediction.text) as new:
                if self._dry_run:
                    return Outcome.WOULD_BE_WRITTEN
                if _version(target) != before:
                    raise NotWritten("it was changed meanwhile")
                like = target if target.exists() else photo
                put_in_place(new, target, like=like, keep_times=self._place == "file")
        except (NotWritten, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = ". --write xmp writes beside it instead" if self._place == "file" else ""
            raise CaptionbotError(f"{target}: the description cannot be written ({reason}){hint}.") from None
        return Outcome.WRITTEN

    def summary(self) -> str:
        """What became of all photos, in a sentence."""
        verb = "would be written" if self._dry_run else "written"
        done = self.outcomes[Outcome.WRITTEN] + self.outcomes[Outcome.WOULD_BE_WRITTEN]
        parts = [f"{done} {'description' if done == 1 else 'descriptions'} {verb}"]
        for outcome, text in (
            (Outcome.HAS_TEXT, "have a text already (--overwrite replaces it)"),
            (Outcome.SAME, "have this description already"),
            (Outcome.UNSURE, "are below --min-confidence"),
            (Outcome.NO_PHOTO, "are no photos"),
        ):
            if self.outcomes[outcome]:
                parts.append(f"{self.outcomes[outcome]} {text}")
        return f"{'; '.join(parts)}."


@contextmanager
def description_writer(
    place: Place, *, overwrite: bool, min_confidence: float, dry_run: bool
) -> Iterator[DescriptionWriter]:
    """A writer with a running ExifTool. Raises CaptionbotError if it is not installed."""
    with metadata_tool() as tool:
        yield DescriptionWriter(tool, place, overwrite=overwrite, min_confidence=min_confidence, dry_run=dry_run)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; None if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
