"""Reads text, CSV and JSON files; every fault raises BadData with the file and what is wrong in it."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.errors import BadData

MAX_BYTES = 1_000_000_000  # of a file of captions; COCO's has 92 MB


def read_text(path: Path) -> str:
    """Read a UTF-8 file, with or without the byte order mark that Excel writes."""
    try:
        if not path.is_file() and not path.is_dir() and path.exists():  # a pipe would never end
            raise BadData(f"{path}: not a file")
        if path.stat().st_size > MAX_BYTES:
            raise BadData(f"{path}: has more than {MAX_BYTES:,} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror})") from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbers, from 1, and text of the lines that are not blank."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.strip()


def read_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and rows that are not blank, header included; quoted as spreadsheets do it."""
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, row
    except csv.Error as error:
        raise BadData(f"{path}, line {rows.line_num}: not a CSV table ({error}); check its quotes") from None


def parse_json(text: str, where: str) -> Any:
    """Parse JSON; `where` names the text in the error."""
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():  # a lone surrogate such as \\ud83d cannot be encoded
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise BadData(f"{where}: not JSON ({error})") from None


def read_json(path: Path) -> Any:
    return parse_json(read_text(path), str(path))


def required_field(record: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """Return record[key] if it is there and of this type; `where` names the record in the error."""
    value = record.get(key) if isinstance(record, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {str: "text", list: "a list", dict: "an object", int: "a whole number"}
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise BadData(f"{where}: {key!r} is missing or not {' or '.join(wanted[each] for each in kinds)}")
    return value


def find_files(path: Path, *patterns: str) -> list[Path]:
    """Files in a folder that match the first pattern that matches any; or `path` itself if it is a matching file.

    Hidden files, such as a Mac's ._captions.csv, are left out.
    """
    if path.is_file():
        return [path] if any(path.match(pattern) for pattern in patterns) else []
    for pattern in patterns:
        shown = (file for file in path.glob(pattern) if not file.name.startswith("."))
        if found := sorted(file for file in shown if file.is_file()):
            return found
    return []
