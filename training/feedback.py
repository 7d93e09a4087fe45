"""Feedback as `captionbot export` wrote it, ready to learn from, and apart from it what is held out to judge by.

feedback = read_feedback(Path("data/exports/feedback"))
feedback.learnt, feedback.held_out       # sentences that were shown, with votes and corrections
feedback.photos                          # their photos, as a data set
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import BadData
from training.data import Dataset, Example
from training.data.photo_files import Place
from training.data.report import Report
from training.data.text_files import member, parse_json, read_json, read_lines
from training.metrics.tokenizer import tokenize

NAME, VERSION = "captionbot-feedback", 1

Words = tuple[str, ...]


@dataclass(frozen=True)
class Rated:
    """A sentence that was shown, and what people said of it."""

    photo: str
    words: Words
    up: float  # votes, each counted by how far its voter is believed
    down: float
    votes: int
    corrections: tuple[Words, ...]  # accepted ones


@dataclass(frozen=True)
class Feedback:
    """What one export holds. Of votes and corrections, `learnt` has those that may be trained on; none is in both."""

    hash: str  # changes with the feedback
    learnt: list[Rated]
    held_out: list[Rated]
    photos: Dataset

    def examples(self, rated: Iterable[Rated]) -> list[Example]:
        """The photos of these sentences, each once, in a fixed order."""
        wanted = {one.photo for one in rated}
        return [example for example in self.photos.examples if example.id in wanted]


def read_feedback(folder: Path) -> Feedback:
    """Read an export in JSON Lines. Raises BadData: what is wrong with it."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise BadData(f"{folder}: not an export, {path.name} is missing; captionbot export makes one")
    manifest = read_json(path)
    found = member(manifest, "format", str, str(path)), member(manifest, "version", int, str(path))
    if found != (NAME, VERSION):
        raise BadData(f"{path}: {found[0]} {found[1]}, this captionbot reads {NAME} {VERSION}; export again")
    if member(manifest, "tables", str, str(path)) != "jsonl":
        raise BadData(f"{path}: exported as {manifest['tables']}; training reads --format jsonl")
    learnt, held_out = [], []
    for number, line in read_lines(folder / "captions.jsonl"):
        where = f"{folder / 'captions.jsonl'}, line {number}"
        record = parse_json(line, where)
        try:
            if record["is_photo"]:  # else people judged the sentence that it is no photo, which is not learnt
                learnt.append(_rated(record, held_out=False))
                held_out.append(_rated(record, held_out=True))
        except (KeyError, TypeError) as error:
            raise BadData(f"{where}: {type(error).__name__} {error}; export again") from None
    learnt, held_out = ([one for one in part if _says_something(one)] for part in (learnt, held_out))
    return Feedback(manifest["hash"], learnt, held_out, _photos(folder, learnt + held_out))


def _rated(record: dict[str, Any], *, held_out: bool) -> Rated:
    """Of one record, what may be trained on or what is held out: all of a photo, or what some people said."""
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


def _says_something(rated: Rated) -> bool:
    return bool(rated.words and (rated.up or rated.down or rated.corrections))


def _photos(folder: Path, rated: Sequence[Rated]) -> Dataset:
    """A data set whose captions are what people wrote and what they liked."""
    captions: dict[str, dict[Words, None]] = {}
    for one in rated:
        liked = (one.words,) if one.up > one.down else ()
        captions.setdefault(one.photo, {}).update(dict.fromkeys((*one.corrections, *liked)))
    examples = [Example(photo, f"{photo}.jpg", tuple(lines), "train") for photo, lines in sorted(captions.items())]
    places = {example.id: Place(folder / "photos" / example.photo) for example in examples}
    return Dataset(examples, Report(str(folder), NAME), places)
