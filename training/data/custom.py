"""Your own photos: a folder with a table `captions.csv` or with JSON Lines in `captions.jsonl`.

photo,caption,split                  {"photo": "cat.jpg", "caption": "A cat sleeps.", "split": "train"}
cat.jpg,"A cat, asleep.",train       {"photo": "dog.jpg", "captions": ["A dog.", "A dog runs."]}

The split (train, val or test) may be left out; then one photo in ten is val. One row a caption, or several in a list.
"""

from collections.abc import Iterator
from pathlib import Path

from model.errors import BadData
from training.data.identity import split_named
from training.data.raw import RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, member, parse_json, read_csv, read_lines

LOOKS_FOR = "captions.csv or captions.jsonl"
Row = tuple[str, list[str], str | None]  # photo, captions, split


def find(path: Path) -> list[Path]:
    """The caption file there; empty if there is none."""
    return find_files(path, "captions.csv", "captions.jsonl")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """All photos. The split of a photo is the one that any of its rows names."""
    path = files[0]
    photos: dict[str, RawPhoto] = {}
    for name, captions, split in _json_lines(path) if path.suffix == ".jsonl" else _table(path, report):
        photo = photos.setdefault(name, RawPhoto(name))
        photo.captions += captions
        if split and photo.split not in (None, split):
            raise BadData(f"{path}: {name} is in {photo.split} and in {split}; a photo has one split")
        photo.split = split or photo.split
    return list(photos.values())


def _table(path: Path, report: Report) -> Iterator[Row]:
    rows = read_csv(path)
    header = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    if "photo" not in header or "caption" not in header:
        raise BadData(f"{path}: its first line must be photo,caption or photo,caption,split")
    for number, row in rows:
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if len(row) == len(header) and cells["photo"]:
            split = cells.get("split")
            yield cells["photo"], [cells["caption"]], split_named(split, f"{path}, line {number}") if split else None
        else:
            report.drop_line("line without a photo, or with more or fewer columns than the first", path, number)


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in read_lines(path):
        where = f"{path}, line {number}"
        record = parse_json(line, where)
        photo = member(record, "photo", str, where)
        captions = member(record, "captions", list, where) if "captions" in record else [record.get("caption")]
        if not photo or not all(isinstance(caption, str) for caption in captions):
            raise BadData(f"{where}: needs a photo, and a caption or captions that are text")
        split = member(record, "split", str, where) if record.get("split") else None
        yield photo, captions, split_named(split, where) if split else None
