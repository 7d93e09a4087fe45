"""A person's captions as a file: CSV for spreadsheets, or JSON for programs. Written row by row, however many.

CSV begins with a byte order mark: without it Excel takes UTF-8 for the computer's old code page and shows "Ã¼" for "ü",
and other programs skip it (Python: `encoding="utf-8-sig"`). JSON has none, as RFC 8259 demands.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from bots.i18n import translate_stored
from bots.service.caption_export import ExportedCaption
from bots.web.schemas import MODEL_LANGUAGE, plain_sentence

BOM = "\ufeff".encode()
COLUMNS = ("file_name", "alt_text", "created_at", "confidence", "corrected", "language", "sentence", "id")
# A spreadsheet takes a cell that begins so for a formula, which may send the table's content elsewhere.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(captions: Iterable[ExportedCaption], language: str) -> Iterator[bytes]:
    """A table whose first line names the columns. language: of the person, for texts that say why there is none."""
    yield BOM + _line(COLUMNS)
    for caption in captions:
        row = _row(caption, language)
        yield _line([_cell(row[name]) for name in COLUMNS])


def as_json(captions: Iterable[ExportedCaption], language: str) -> Iterator[bytes]:
    """An array of objects, which ends only if everything was read."""
    separator = "[\n"
    for caption in captions:
        yield (separator + json.dumps(_row(caption, language), ensure_ascii=False)).encode()
        separator = ",\n"
    yield b"[]\n" if separator.startswith("[") else b"\n]\n"


def _row(caption: ExportedCaption, language: str) -> dict[str, Any]:
    said = plain_sentence(caption.text, caption.words if caption.hedged and caption.is_photo else ())
    spoken = MODEL_LANGUAGE if caption.is_photo else language
    return {
        "file_name": caption.file_name,
        "alt_text": caption.correction or (said if caption.is_photo or not said else translate_stored(language, said)),
        "created_at": caption.created_at.isoformat(timespec="seconds"),
        "confidence": None if caption.confidence is None else round(caption.confidence, 3),
        "corrected": caption.correction is not None,
        "language": None if caption.correction or not caption.by_model else spoken,
        "sentence": caption.rank + 1,
        "id": caption.id,
    }


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue().encode()
