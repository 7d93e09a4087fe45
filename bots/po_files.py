"""Reads the texts and their translations: .po files of gettext. Babel parses them; what it lets pass is checked here.

The English texts are the template, languages/*.pot. An entry has the key of the text as msgctxt and the English text as
msgid; in the .po file of a language, msgstr is the translation.
"""

import gettext
import io
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

MAX_BYTES = 1_000_000  # of a file
MAX_FORMS = 6  # plural forms: Arabic has that many, and no language more
COUNTS = (
    200  # counts for which a plural form is written down; greater ones are like those with the same last two digits
)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_LINE = re.compile(rf"(?:(msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\]) )?{_QUOTED}")
_BEFORE = {"msgid": ("", "msgctxt", "msgstr"), "msgctxt": ("", "msgstr"), "msgid_plural": ("msgid",)}
_MAX_LENGTH = re.compile(r"At most (\d+) characters\.")


class BadTranslation(Exception):
    """A translation that cannot be used. The text names the file and the line, and says what would be right."""


@dataclass(frozen=True)
class Text:
    """A text in one language, with {placeholders}."""

    language: str
    forms: tuple[str, ...]  # one for each plural form, or one for all counts
    plural: tuple[int, ...] = ()  # index of the form for each count below COUNTS; empty if there is only one form

    def form(self, count: float) -> str:
        """The form for a count. A fraction has the form of 2, as in 1.5 hours or 1,5 godziny."""
        if not self.plural:
            return self.forms[0]
        count = int(count) if count == int(count) else 2
        return self.forms[self.plural[count if count < COUNTS else 100 + count % 100]]


@dataclass(frozen=True)
class Source:
    """A text of the template: what a translation of it must be like."""

    english: Text
    max_length: int | None  # characters; None: no limit

    @property
    def placeholders(self) -> set[str]:
        """Those of all forms, such as {count:number}."""
        return {placeholder for form in self.english.forms for placeholder in _placeholders(form)}


def read_template(folder: Path, language: str) -> dict[str, Source]:
    """The texts in the .pot files of a folder, by their keys. Raises BadTranslation."""
    sources = {}
    for file in sorted(folder.glob("*.pot")):
        catalog = _read(file)
        for message in _messages(catalog):
            text = Text(language, _forms(message.id), _plural_table(file, catalog) if message.pluralizable else ())
            limits = [int(limit[1]) for comment in message.auto_comments if (limit := _MAX_LENGTH.search(comment))]
            sources[str(message.context)] = Source(text, min(limits, default=None))
    return sources


def read_translations(folder: Path, language: str, template: dict[str, Source]) -> dict[str, Text]:
    """The texts in the .po files of a language's folder, by their keys.

    What is left empty, marked as fuzzy, or a translation of a text that reads otherwise today is not there.

    Raises:
        BadTranslation: a file is no .po file, or a text in it does not fit what it translates.
    """
    texts = {}
    for file in sorted(folder.glob("*.po")):
        catalog = _read(file)
        plural = _plural_table(file, catalog)
        for message in _messages(catalog):
            source = template.get(str(message.context))
            forms = _forms(message.string)
            if source is None or message.fuzzy or not all(forms) or source.english.forms != _forms(message.id):
                continue
            for form in forms:
                _check(form, source, file, message.lineno or 1)
            texts[str(message.context)] = Text(language, forms, plural if message.pluralizable else ())
    return texts


def _read(file: Path) -> Catalog:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1).removeprefix(b"\xef\xbb\xbf")
        text = content.decode()
    except OSError as error:
        raise BadTranslation(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise _bad(file, content[: error.start].count(b"\n") + 1, "this is not UTF-8; save the file as UTF-8") from None
    if len(content) > MAX_BYTES:
        raise BadTranslation(
            f"{file} has more than {MAX_BYTES // 1_000_000} MB, which is no translation of captionbot."
        )
    _check_lines(file, text)
    if re.search(r"nplurals\s*=(?!\s*[1-6]\b)", re.sub(r'"\s*"', "", text)):  # Babel would make so many
        raise _bad(file, _line_of(file, "nplurals"), f"nplurals should be 1 to {MAX_FORMS}")
    try:
        return read_po(io.StringIO(text), ignore_obsolete=True, abort_invalid=True)
    except PoFileError as error:
        raise _bad(file, error.lineno + 1, str(error).rpartition(" on ")[0]) from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # of a header that Babel takes at its word
        raise _bad(file, 1, f"the header, which is the first entry, cannot be read ({error})") from None


def _check_lines(file: Path, text: str) -> None:
    """Find what Babel's parser would read as something else: a missing quote, an entry without its beginning."""
    last = ""
    for number, line in enumerate(io.StringIO(text), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if (found := _LINE.fullmatch(line)) is None:
            raise _bad(file, number, 'a line is a # comment, or msgctxt, msgid or msgstr with a text in "quotes"')
        if (keyword := found[1]) is None and not last:
            raise _bad(file, number, "this text belongs to no msgid or msgstr")
        if keyword:
            before = _BEFORE.get(keyword, ("msgid",) if keyword == "msgstr" else ("msgid_plural", "msgstr"))
            if last not in before:
                raise _bad(file, number, f"{keyword} cannot follow {last or 'nothing'}")
            last = "msgstr" if keyword.startswith("msgstr") else keyword


def _plural_table(file: Path, catalog: Catalog) -> tuple[int, ...]:
    """The index of the plural form for each count below COUNTS, as the header Plural-Forms says."""
    try:
        plural = gettext.c2py(catalog.plural_expr)
        table = tuple(plural(count) for count in range(COUNTS))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _bad(file, _line_of(file, "Plural-Forms"), f"Plural-Forms has no valid formula ({error})") from None
    if not 0 <= min(table) <= max(table) < catalog.num_plurals <= MAX_FORMS:
        reason = (
            f"Plural-Forms announces {catalog.num_plurals} forms, but its formula gives {min(table)} to {max(table)}"
        )
        raise _bad(file, _line_of(file, "Plural-Forms"), reason)
    return table


def _check(form: str, source: Source, file: Path, line: int) -> None:
    """Raise BadTranslation if a text cannot be filled in, or is longer than there is room for."""
    try:
        unknown = sorted(set(_placeholders(form)) - source.placeholders)
    except ValueError as error:
        raise _bad(file, line, f"a {{ or }} is left over in this text ({error})") from None
    if unknown:
        known = ", ".join(sorted(source.placeholders)) or "none"
        raise _bad(file, line, f"{unknown[0]} is no placeholder of this text; it has {known}")
    if source.max_length and len(form) > source.max_length:
        raise _bad(file, line, f"this text has {len(form)} characters; there is room for {source.max_length}")


def _placeholders(form: str) -> Iterator[str]:
    for _, name, specification, conversion in string.Formatter().parse(form):
        if name is not None:
            options = (f"!{conversion}" if conversion else "") + (f":{specification}" if specification else "")
            yield f"{{{name}{options}}}"


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id and message.context)


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _line_of(file: Path, word: str) -> int:
    lines = file.read_text("utf-8-sig").splitlines()
    return next((number for number, line in enumerate(lines, 1) if word in line), 1)


def _bad(file: Path, line: int, reason: str) -> BadTranslation:
    return BadTranslation(f"{file}, line {line}: {reason}.")
