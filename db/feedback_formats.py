"""Writes feedback records as JSON Lines, COCO captions or CSV. feedback_format.md describes the files."""

import csv
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from db.feedback_records import FeedbackRecords

Format = Literal["jsonl", "coco", "csv"]


def write_tables(feedback: FeedbackRecords, format: Format, folder: Path) -> None:
    """Write the records to files in this folder."""
    if format == "coco":
        write_json(folder / "captions_feedback.json", _coco(feedback))
    elif format == "csv":
        captions = [caption | {"words": " ".join(caption["words"])} for caption in feedback.captions]
        people = [person | {"reasons": "; ".join(person["reasons"])} for person in feedback.people]
        _write_csv(folder / "captions.csv", captions, leave_out=("votes", "corrections"))
        _write_csv(folder / "people.csv", people)
        for name in ("votes", "corrections"):
            rows = [{"caption": caption["caption"]} | row for caption in feedback.captions for row in caption[name]]
            _write_csv(folder / f"{name}.csv", rows)
    else:
        _write_lines(folder / "captions.jsonl", feedback.captions)
        _write_lines(folder / "people.jsonl", feedback.people)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, indented by two spaces."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _coco(feedback: FeedbackRecords) -> dict[str, Any]:
    """Accepted corrections that are not held out, in COCO's format, which many training programs read."""
    number = {sha256: row for row, sha256 in feedback.photos.items()}
    kept = [
        (number[caption["photo"]], caption["photo"], correction["text"])
        for caption in feedback.captions
        for correction in caption["corrections"]
        if correction["accepted"] and not correction["held_out"] and not caption["held_out"]
    ]
    images = {row: f"{sha256}.jpg" for row, sha256, _ in kept}
    return {
        "images": [{"id": row, "file_name": name} for row, name in sorted(images.items())],
        "annotations": [{"id": id, "image_id": row, "caption": text} for id, (row, _, text) in enumerate(kept, 1)],
    }


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def _write_csv(path: Path, rows: Collection[Mapping[str, Any]], leave_out: Collection[str] = ()) -> None:
    """Write rows with a header; without rows the file is empty. Text that spreadsheets read as a formula is quoted."""
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = [name for name in next(iter(rows), {}) if name not in leave_out]
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _as_text(row[name]) for name in columns} for row in rows)


def _as_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
