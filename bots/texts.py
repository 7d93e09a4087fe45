"""What captionbot says to people, in their language. The sentences stand in languages/LANGUAGE/FILE.toml.

`say("de", "common.thanks")` takes `thanks` from languages/de/common.toml. A sentence may hold values:

    {name}       as it is            {count:number}  1,234.5 as the language writes it
    {share:percent}  0.42 as 42 %    {seconds:in}    a time from now: in 4 minutes

A sentence that depends on `count` is a table of plural forms: {one = "...", other = "..."}.
"""

import string
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent

FOLDER = Path(__file__).with_name("languages")
LANGUAGES = ("en", "de")
DEFAULT = "en"


def language(wanted: str | None) -> str:
    """The language we have for what a platform or browser asks for ("de-AT", "pt_BR", None)."""
    code = (wanted or "").replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else DEFAULT


def say(wanted: str | None, key: str, /, **values: Any) -> str:
    """The sentence of this key, with its values filled in. Raises KeyError for a key that does not exist."""
    code = language(wanted)
    return fill(code, catalogue(code)[key], **values)


def translated(wanted: str | None, english: str) -> str:
    """A sentence that a worker wrote into a row, in another language if it stands in common.toml; else as it is."""
    key = next((key for key, sentence in catalogue(DEFAULT).items() if sentence == english), None)
    return say(wanted, key) if key else english


def fill(code: str, sentence: str | Mapping[str, str], /, **values: Any) -> str:
    """Put values into a sentence, or into the plural form that goes with `count`."""
    if not isinstance(sentence, str):
        sentence = sentence[Locale.parse(code).plural_form(values["count"])]
    return _Filler(code).format(sentence, **values)


@cache
def catalogue(code: str) -> dict[str, str | dict[str, str]]:
    """All sentences of a language: "file.key" -> the sentence or its plural forms."""
    return {
        f"{file.stem}.{key}": sentence
        for file in sorted((FOLDER / code).glob("*.toml"))
        for key, sentence in tomllib.loads(file.read_text("utf-8")).items()
    }


class _Filler(string.Formatter):
    """str.format whose specifications are ours, written as the language does."""

    def __init__(self, code: str):
        self.code = code

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "number":
                return format_decimal(value, "#,##0.##", locale=self.code)
            case "percent":
                return format_percent(value, locale=self.code)
            case "in":
                return format_timedelta(_rounded_up(value), add_direction=True, threshold=1, locale=self.code)
        return str(super().format_field(value, format_spec))


def _rounded_up(seconds: float) -> timedelta:
    """To whole minutes from a minute on, to whole hours from an hour on: nobody is told to come back too early."""
    unit = next((unit for unit in (3600, 60) if seconds > unit), 1)
    return timedelta(seconds=max(1, ceil(seconds / unit)) * unit)
