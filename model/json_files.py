"""Reads JSON that somebody else may have written: bounded in size and depth, and checked against a schema.

pydantic's parser refuses what is nested more than 200 levels deep, where Python's own would exhaust the stack.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from model.errors import DamagedModel, one_line

MAX_BYTES = 16_000_000  # of a JSON file; a vocabulary of 200,000 words has 2 MB
DEPTH = 50  # to which a file's free part may be nested

Value = TypeVar("Value")


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object whose keys are free. NaN, which Python writes and JSON does not know, becomes None.

    Raises:
        DamagedModel: the file is none, is too large or is nested too deeply.
    """
    try:
        value = finite(from_json(read_bounded(path)))
    except ValueError as error:
        raise DamagedModel(f"{path}: not JSON ({one_line(error)})") from None
    if not isinstance(value, dict):
        raise DamagedModel(f"{path}: must hold a JSON object")
    return value


def read_as(schema: "TypeAdapter[Value]", path: Path, what: str) -> Value:
    """Read a JSON file that must follow a schema. what: "a vocabulary", for the message. Raises DamagedModel."""
    try:
        return schema.validate_json(read_bounded(path), strict=True)
    except ValidationError as error:
        raise DamagedModel(f"{path}: not {what} ({first_fault(error)})") from None


def read_bounded(path: Path, most: int = MAX_BYTES) -> bytes:
    """The bytes of a file that is not larger than `most`. Raises DamagedModel."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise DamagedModel(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > most:
        raise DamagedModel(f"{path}: has more than {most:,} bytes")
    return data


def first_fault(error: ValidationError) -> str:
    """The first thing that a schema found wrong, on one line: where it is, and what it should be."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return one_line(f"{place}: {fault['msg']}" if place else fault["msg"])


def finite(value: Any, depth: int = DEPTH) -> Any:
    """A JSON value with None for each number that is not finite. Raises ValueError if it is nested too deeply."""
    if depth < 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {name: finite(part, depth - 1) for name, part in value.items()}
    if isinstance(value, list):
        return [finite(part, depth - 1) for part in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
