"""Reader of own photos: a folder with a table `captions.csv`, or with JSON Lines in `captions.jsonl`.

photo,caption,split                  {"photo": "cat.jpg", "caption": "A cat sleeps.", "split": "train"}
cat.jpg,"A cat, asleep.",train       {"photo": "dog.jpg", "captions": ["A dog.", "A dog runs."],
                                      "sources": ["human", "machine"]}

The split (train, val or test) is optional; without it one photo in ten is val. A row holds one caption, a JSON object
one or a list of them. The sources of captions (human, machine or derived) are optional too; training can give each its
own weight.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from model.errors import BadData
from training.data.identity import parse_split
from training.data.raw import HUMAN, SOURCES, RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, parse_json, read_csv, read_lines, required_field

CAPTION_FILES = "captions.csv or captions.jsonl"


class Row(NamedTuple):
    photo: str
    captions: list[str]
    sources: list[str]  # of the captions; empty if the row names none
    split: str | None


def find(path: Path) -> list[Path]:
    """Return the caption file at `path`; empty if there is none."""
    return find_files(path, "captions.csv", "captions.jsonl")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Read all photos. A photo's split is the one that any of its rows names."""
    path = files[0]
    photos: dict[str, RawPhoto] = {}
    for row in _json_lines(path) if path.suffix == ".jsonl" else _table(path, report):
        photo = photos.setdefault(row.photo, RawPhoto(row.photo))
        if row.sources or photo.sources:  # captions without a source are by people
            photo.sources += [HUMAN] * (len(photo.captions) - len(photo.sources))
            photo.sources += row.sources or [HUMAN] * len(row.captions)
        photo.captions += row.captions
        if row.split and photo.split not in (None, row.split):
            raise BadData(f"{path}: {row.photo} is in {photo.split} and in {row.split}; a photo has one split")
        photo.split = row.split or photo.split
    return list(photos.values())


def _table(path: Path, report: Report) -> Iterator[Row]:
    rows = read_csv(path)
    header = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    if "photo" not in header or "caption" not in header:
        raise BadData(f"{path}: its first line must be photo,caption or photo,caption,split")
    for number, row in rows:
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if len(row) == len(header) and cells["photo"]:
            where = f"{path}, line {number}"
            split, source = cells.get("split"), cells.get("source")
            sources = _checked([source], 1, where) if source else []
            yield Row(cells["photo"], [cells["caption"]], sources, parse_split(split, where) if split else None)
        else:
            report.drop_line("line without a photo, or with more or fewer columns than the first", path, number)


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in read_lines(path):
        where = f"{path}, line {number}"
        record = parse_json(line, where)
        photo = required_field(record, "photo", str, where)
        captions = required_field(record, "captions", list, where) if "captions" in record else [record.get("caption")]
        if not photo or not all(isinstance(caption, str) for caption in captions):
            raise BadData(f"{where}: needs a photo, and a caption or captions that are text")
        split = required_field(record, "split", str, where) if record.get("split") else None
        sources = (
            _checked(required_field(record, "sources", list, where), len(captions), where)
            if record.get("sources")
            else []
        )
        yield Row(photo, captions, sources, parse_split(split, where) if split else None)


def _checked(sources: list[str], captions: int, where: str) -> list[str]:
    if len(sources) != captions:
        raise BadData(f"{where}: {captions} captions and {len(sources)} sources; name one for each caption")
    if wrong := [source for source in sources if source not in SOURCES]:
        raise BadData(f"{where}: there is no source {wrong[0]!r}; use one of {', '.join(SOURCES)}")
    return sources
