"""The texts that people see, in their languages. docs/translating.md says how to add a text or a language.

The English texts are languages/*.pot. Each folder beside them is a language, such as languages/de/*.po, and so is each
folder in LANGUAGES_DIR. `say("de", "telegram.already")` returns the German text with this key, or the English one where
there is no translation. A text may contain placeholders:

    {name}       unchanged           {count:number}  a number as the language writes it: 1,234.5
    {share:percent}  0.42 as 42 %    {seconds:in}    a time from now: in 4 minutes

A text with plural forms is chosen by `count`.
"""

import re
import string
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent

from bots.po_files import BadTranslation, Source, Text, read_template, read_translations

FOLDER = Path(__file__).with_name("languages")
DEFAULT = "en"
CODE = r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?"  # of a language, and of its script and region

_catalogues: dict[str, dict[str, Text]] = {}  # by language: all texts by their keys, English ones where it has none


def load(own: Path | None = None) -> None:
    """Read the languages. own: LANGUAGES_DIR, whose texts come before ours. Raises BadTranslation."""
    global _catalogues
    catalogues = {code: dict(texts) for code, texts in _ours().items()}
    for folder in _language_folders(own) if own else []:
        texts = catalogues.setdefault(folder.name, dict(_ours()[DEFAULT]))
        texts |= read_translations(folder, folder.name, template())
    _catalogues = catalogues


@cache
def _ours() -> dict[str, dict[str, Text]]:
    """The texts that come with captionbot, by language; English ones where a language has none."""
    english = {key: source.english for key, source in template().items()}
    folders = _language_folders(FOLDER)
    return {DEFAULT: english} | {
        folder.name: english | read_translations(folder, folder.name, template()) for folder in folders
    }


@cache
def template() -> dict[str, Source]:
    """The English texts, by their keys."""
    return read_template(FOLDER, DEFAULT)


def _language_folders(folder: Path) -> list[Path]:
    """The folders that hold .po files. Their names are languages: de, pt_BR."""
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.po")))
    except OSError as error:
        raise BadTranslation(f"LANGUAGES_DIR is {folder}, which cannot be read: {error.strerror}.") from None
    for path in folders:
        try:
            Locale.parse(re.fullmatch(CODE, path.name) and path.name)
        except (TypeError, ValueError, UnknownLocaleError):
            raise BadTranslation(
                f"{path} is named after no language. Name it with the language's code: pl, or pt_BR."
            ) from None
    return folders


def catalogue(code: str) -> Mapping[str, Text]:
    """All texts of a language, by their keys. Raises KeyError for a language that is not there."""
    if not _catalogues:
        load()
    return _catalogues[code]


def languages() -> tuple[str, ...]:
    """The languages that are there, DEFAULT first."""
    catalogue(DEFAULT)
    return (DEFAULT, *sorted(_catalogues.keys() - {DEFAULT}))


def supported(requested: str) -> str | None:
    """The language that is there for a language tag such as "de-AT" or "pt_BR"; None if there is none."""
    codes = {code.lower(): code for code in languages()}
    parts = requested.replace("-", "_").lower().split("_", maxsplit=3)
    tags = ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((codes[tag] for tag in tags if tag in codes), None)


def language(requested: str | None) -> str:
    """The language that is there for a language tag; DEFAULT for others and None."""
    return supported(requested or "") or DEFAULT


def language_name(code: str) -> str:
    """The name of a language in itself: Deutsch, Polski."""
    name = Locale.parse(code).get_display_name() or code
    return name[0].upper() + name[1:]


def say(requested: str | None, key: str, /, **values: Any) -> str:
    """The text with this key in the requested language, with its placeholders filled in. Raises KeyError."""
    return fill(catalogue(language(requested))[key], **values)


def translate_stored(requested: str | None, english: str) -> str:
    """Translate an English text that a worker stored, if it is in common.pot; otherwise return it unchanged."""
    ours = {source.english.forms[0]: key for key, source in template().items() if key.startswith("common.")}
    key = ours.get(english)
    return say(requested, key) if key else english


def fill(text: Text, /, **values: Any) -> str:
    """Fill in the placeholders of a text, choosing the plural form for `count`."""
    form = text.form(values["count"]) if text.plural else text.forms[0]
    return _LanguageFormatter(text.language).format(form, **values)


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
