"""Names of files on stdout: a name may hold any bytes, and characters that the terminal's encoding does not have."""

import codecs
import re
import sys
from pathlib import Path

STDIN = Path("/dev/stdin")  # what `-` stands for among files


def accept_all_names() -> None:
    """Let stdout take every file name: bytes that are no text as they are, and what it cannot show as an escape."""
    codecs.register_error("file_names", _encoded_name)
    sys.stdout.reconfigure(errors="file_names")  # type: ignore[union-attr]


def _encoded_name(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler for one character that the encoding of stdout does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    is_byte = "\udc80" <= error.object[error.start] <= "\udcff"
    one = UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    return codecs.lookup_error("surrogateescape" if is_byte else "backslashreplace")(one)


def without_controls(text: str) -> str:
    """The text with escapes for control characters: in a name they would end a line, or command the terminal."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda control: repr(control[0])[1:-1], text)
