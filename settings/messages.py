"""Wrong settings as sentences: the variable, its value without secrets, and what would be right."""

import re
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

STARS = "***"
LONGEST = 100  # characters of a value that a sentence shows
PORT = r"\d{1,5}(?=[/?,;]|$)"
SECRET_OPTION = r"(?i)([?&;][^=&?]*(?:pass|pwd|secret|token|key)[^=&]*=)[^&]*"
EXPECTED = {  # pydantic's type of an error -> what the value should be
    "finite_number": "a number",
    "float_parsing": "a number",
    "greater_than": "more than {gt:.15g}",
    "greater_than_equal": "at least {ge:.15g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of usual size",
    "less_than_equal": "at most {le:.15g}",
    "bool_parsing": "true or false",
    "literal_error": "{expected}",
    "string_unicode": "text in UTF-8",
    "value_error": "{error}",
}


def sentence(name: str, value: object, expected: str) -> str:
    """What is wrong with a variable. The value must not be a secret; a password in a URL is hidden."""
    return f"{name} is {shown(value)}; it should be {expected}"


def sentence_of(details: Any, field: FieldInfo) -> str:
    """The sentence for one of pydantic's ErrorDetails."""
    kind, name = details["type"], str(details["loc"][0]).upper()
    ours = EXPECTED.get(kind, "")
    expected = ours.format(**details.get("ctx", {})) if ours else details["msg"].removeprefix("Input should be ")
    value = details["input"]
    if value is None:
        return f"{name} is not set; it should be {expected}"
    if SecretStr in getattr(field.annotation, "__args__", ()):
        return f"{name} is '**********'; it should be {expected}"
    return sentence(name, without_credentials(str(value)) if not field.repr else value, expected)


def shown(value: object) -> str:
    """The repr of a value, cut if it is very long, and without credentials if it looks like a URL."""
    if not isinstance(value, str):
        return repr(value)
    text = without_credentials(value) if "://" in value else value
    return repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def without_credentials(url: str) -> str:
    """A URL without user, password, and options that may be secrets. It need not be valid: what could be one is hidden.

    In an invalid URL nobody knows where a password ends. So all before the last @ counts as one, and if there is no @,
    all after a colon that no port follows.
    """
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    if scheme == "sqlite":
        return url
    before, at, after = rest.rpartition("@")
    if at:
        rest = f"{STARS}@{after}"
    bracketed = re.match(r"(?:\*+@)?\[[\da-fA-F:.]*\]", rest)  # an IPv6 address has colons itself
    start = bracketed.end() if bracketed else 0
    if before or not at:
        rest = rest[:start] + re.sub(rf":(?!{PORT}|//).*", f":{STARS}", rest[start:], flags=re.DOTALL)
    return scheme + separator + re.sub(SECRET_OPTION, rf"\1{STARS}", rest)
