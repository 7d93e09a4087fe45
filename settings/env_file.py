"""Checks that .env can be read as it was meant, which the library that reads it leaves out."""

import io
import re
from pathlib import Path

from dotenv.parser import parse_stream

from settings.values import WrongSetting


def check_env_file(path: Path) -> None:
    """Raise WrongSetting if this is no file of lines NAME=VALUE in UTF-8. It need not exist. No value is shown."""
    try:
        if path.is_dir():  # what Docker makes of a file that is mounted and does not exist
            raise WrongSetting(f"{path} is a folder; it should be a file with lines NAME=VALUE")
        if not path.is_file():  # none, or a pipe, which can be read only once
            return
        data = path.read_bytes()
    except OSError as error:
        raise WrongSetting(f"{path} cannot be read ({error.strerror}); change its owner or its permissions") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongSetting(_not_utf8(path, data, error.start)) from None
    if "\0" in text:
        raise WrongSetting(_not_utf8(path, data, data.index(0)))
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise WrongSetting(f"Line {binding.original.line} of {path} cannot be read; it should be NAME=VALUE")


def _not_utf8(path: Path, data: bytes, position: int) -> str:
    before = data[:position]
    found = re.match(rb"\s*(?:export\s+)?(\w+)\s*=", before[before.rfind(b"\n") + 1 :])
    where = f" ({found[1].decode()})" if found else ""
    return f"Line {before.count(10) + 1} of {path}{where} is not UTF-8; save the file in the encoding UTF-8"
