"""Files that people hand us, read whole. Whatever is wrong with one becomes a BadData that names file and fault."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.errors import BadData


def read_text(path: Path) -> str:
    """The file's text; it must be UTF-8, with or without the mark that Excel puts first."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror})") from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and lines that are not blank."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.strip()


def read_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and rows that are not blank, header included; quoted as spreadsheets do."""
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, row
    except csv.Error as error:
        raise BadData(f"{path}, line {rows.line_num}: not a CSV table ({error}); check its quotes") from None


def parse_json(text: str, where: str) -> Any:
    """The value that `text` holds; `where` names it in the error."""
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():  # half a character, such as \\ud83d alone, could be neither printed nor stored
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise BadData(f"{where}: not JSON ({error})") from None


def read_json(path: Path) -> Any:
    return parse_json(read_text(path), str(path))


def member(record: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """record[key], which must be there and of this kind; `where` names the record in the error."""
    value = record.get(key) if isinstance(record, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {str: "text", list: "a list", dict: "an object", int: "a whole number"}
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise BadData(f"{where}: {key!r} is missing or not {' or '.join(wanted[each] for each in kinds)}")
    return value


def find_files(path: Path, *patterns: str) -> list[Path]:
    """Files in the folder that match the first pattern that any file matches; `path` itself if it is such a file."""
    if path.is_file():
        return [path] if any(path.match(pattern) for pattern in patterns) else []
    for pattern in patterns:
        if found := sorted(file for file in path.glob(pattern) if file.is_file()):
            return found
    return []
