"""Reads what `captionbot export` wrote, split into feedback to train on and held-out feedback to judge by.

feedback = read_feedback(Path("data/exports/feedback"))
feedback.train, feedback.held_out  # captions that were shown, with votes and corrections
feedback.photos  # their photos, as a data set
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from db.feedback_schema import CAPTION_RECORD, MANIFEST, NAME, VERSION, CaptionRecord
from model.errors import BadData
from model.json_files import first_fault
from training.data import Dataset, Example
from training.data.photo_files import Place
from training.data.report import Report
from training.data.text_files import parse_json, read_json, read_lines, required_field
from training.metrics.tokenizer import tokenize

Words = tuple[str, ...]
Record = TypeVar("Record")


@dataclass(frozen=True)
class Rated:
    """A caption that was shown, with its votes and corrections."""

    photo: str
    words: Words
    up: float  # votes, each with its voter's weight
    down: float
    votes: int
    corrections: tuple[Words, ...]  # accepted ones


@dataclass(frozen=True)
class Feedback:
    """One export. `train` has the votes and corrections that may be trained on; none of them is in `held_out`."""

    hash: str  # changes with the feedback
    train: list[Rated]
    held_out: list[Rated]
    photos: Dataset

    def examples(self, rated: Iterable[Rated]) -> list[Example]:
        """The photos of these captions, each once, in a fixed order."""
        wanted = {one.photo for one in rated}
        return [example for example in self.photos.examples if example.id in wanted]


def read_feedback(folder: Path) -> Feedback:
    """Read an export in JSON Lines. Raises BadData, which says what is wrong with it."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise BadData(f"{folder}: not an export, {path.name} is missing; captionbot export makes one")
    manifest = read_json(path)
    found = required_field(manifest, "format", str, str(path)), required_field(manifest, "version", int, str(path))
    if found != (NAME, VERSION):
        raise BadData(f"{path}: {found[0]} {found[1]}, this captionbot reads {NAME} {VERSION}; export again")
    if required_field(manifest, "tables", str, str(path)) != "jsonl":
        raise BadData(f"{path}: exported as {manifest['tables']}; training reads --format jsonl")
    _checked(MANIFEST, manifest, str(path))
    train, held_out = [], []
    for number, line in read_lines(folder / "captions.jsonl"):
        where = f"{folder / 'captions.jsonl'}, line {number}"
        record = _checked(CAPTION_RECORD, parse_json(line, where), where)
        if record["is_photo"]:  # otherwise people rated the sentence "this is no photo", which is not trained on
            train.append(_rated(record, held_out=False))
            held_out.append(_rated(record, held_out=True))
    train, held_out = ([one for one in part if _is_informative(one)] for part in (train, held_out))
    return Feedback(manifest["hash"], train, held_out, _photos(folder, train + held_out))


def _checked(schema: "TypeAdapter[Record]", record: Any, where: str) -> Record:
    """The record, if it is as captionbot export writes it. `where` is named in the error. Raises BadData."""
    try:
        return schema.validate_python(record, strict=True)
    except ValidationError as error:
        raise BadData(f"{where}: {first_fault(error)}; export again") from None


def _rated(record: CaptionRecord, *, held_out: bool) -> Rated:
    """The training part or the held-out part of one record: a photo is held out whole, a person with all they said."""
    votes = [vote for vote in record["votes"] if (record["held_out"] or vote["held_out"]) == held_out]
    written = [
        wrote
        for wrote in record["corrections"]
        if wrote["accepted"] and (record["held_out"] or wrote["held_out"]) == held_out
    ]
    return Rated(
        photo=record["photo"],
        words=tuple(record["words"]),
        up=sum(vote["weight"] for vote in votes if vote["value"] > 0),
        down=sum(vote["weight"] for vote in votes if vote["value"] < 0),
        votes=len(votes),
        corrections=tuple(dict.fromkeys(tuple(tokenize(wrote["text"])) for wrote in written)),
    )


def _is_informative(rated: Rated) -> bool:
    return bool(rated.words and (rated.up or rated.down or rated.corrections))


def _photos(folder: Path, rated: Sequence[Rated]) -> Dataset:
    """A data set whose captions are corrections, and captions with more votes for than against."""
    captions: dict[str, dict[Words, None]] = {}
    for one in rated:
        liked = (one.words,) if one.up > one.down else ()
        captions.setdefault(one.photo, {}).update(dict.fromkeys((*one.corrections, *liked)))
    examples = [Example(photo, f"{photo}.jpg", tuple(lines), "train") for photo, lines in sorted(captions.items())]
    inside = (folder / "photos").resolve()
    places = {}
    for example in examples:
        path = inside / example.photo
        if path.is_symlink() or not inside.is_relative_to(folder.resolve()):  # what that leads to is no part of it
            raise BadData(f"{path}: a link, and no photo; export again")
        places[example.id] = Place(path)
    return Dataset(examples, Report(str(folder), NAME), places)
