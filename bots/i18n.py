"""Translations of the texts that people see. They are in languages/LANGUAGE/FILE.toml.

`say("de", "common.thanks")` returns `thanks` from languages/de/common.toml. A text may contain placeholders:

    {name}       unchanged           {count:number}  a number as the language writes it: 1,234.5
    {share:percent}  0.42 as 42 %    {seconds:in}    a time from now: in 4 minutes

A text that depends on `count` is a table of plural forms: {one = "...", other = "..."}.
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


def language(requested: str | None) -> str:
    """The supported language closest to a language tag such as "de-AT" or "pt_BR"; DEFAULT for others and None."""
    code = (requested or "").replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else DEFAULT


def say(requested: str | None, key: str, /, **values: Any) -> str:
    """The text with this key in the requested language, with its placeholders filled in. Raises KeyError."""
    code = language(requested)
    return fill(code, catalogue(code)[key], **values)


def translate_stored(requested: str | None, english: str) -> str:
    """Translate an English text that a worker stored, if it is in common.toml; otherwise return it unchanged."""
    key = next((key for key, sentence in catalogue(DEFAULT).items() if sentence == english), None)
    return say(requested, key) if key else english


def fill(code: str, sentence: str | Mapping[str, str], /, **values: Any) -> str:
    """Fill in the placeholders of a text, choosing the plural form that matches `count`."""
    if not isinstance(sentence, str):
        sentence = sentence[Locale.parse(code).plural_form(values["count"])]
    return _LanguageFormatter(code).format(sentence, **values)


@cache
def catalogue(code: str) -> dict[str, str | dict[str, str]]:
    """All texts of a language: "file.key" -> text or plural forms."""
    return {
        f"{file.stem}.{key}": sentence
        for file in sorted((FOLDER / code).glob("*.toml"))
        for key, sentence in tomllib.loads(file.read_text("utf-8")).items()
    }


class _LanguageFormatter(string.Formatter):
    """`str.format` with our format specifications, following the conventions of a language."""

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
    """Round up to whole seconds, minutes or hours, so that nobody is asked to come back too early."""
    unit = next((unit for unit in (3600, 60) if seconds > unit), 1)
    return timedelta(seconds=max(1, ceil(seconds / unit)) * unit)
