"""The types of settings that are URLs. Each is checked by the parts and by the library that will read it.

A validator raises ValueError with the end of the sentence "NAME is VALUE; it should be ...", without a password.
"""

import re
from pathlib import Path
from urllib.parse import quote

from pydantic import AfterValidator
from yarl import URL

from settings.values import from_root
from worker.redis_url import CHARACTERS, check_redis_url, is_host, is_redis


def url_of(*schemes: str, bare: bool = False) -> AfterValidator:
    """A validator for URLs with one of these schemes. bare: to which a path is added, so no ? or # may follow."""

    def check(value: str | None) -> str | None:
        if value is None:
            return value
        expected = f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(expected)
        if not is_url(value):
            raise ValueError(f"{expected} and names a host, and a port that is a number if any")
        if bare and ("?" in value or "#" in value):
            raise ValueError(f"{expected} and has neither ? nor #")
        return value

    return AfterValidator(check)


def is_url(text: str) -> bool:
    """Whether this is a URL that HTTP libraries take."""
    try:
        return not re.search(r"[\s\0-\x1f\x7f\\]", text) and is_host(URL(text).authority.rpartition("@")[2])
    except ValueError:
        return False


def redis(url: str | None) -> str | None:
    return url if url is None else check_redis_url(url)


def broker(url: str | None) -> str | None:
    """URLs of Redis are checked like REDIS_URL, and all others by Kombu, which knows what it supports."""
    if url is None or is_redis(url):
        return redis(url)
    expected = "a URL that Celery takes, such as redis://HOST:6379/0 or amqp://HOST"
    if not re.fullmatch(r"\w[\w+.-]*://\S*", url):
        raise ValueError(expected)
    from kombu.transport import get_transport_cls
    from kombu.utils.url import parse_url

    try:
        get_transport_cls(re.split(r"\+|://", url)[0])
        for each in url.split(";"):
            parse_url(each)
    except ModuleNotFoundError as error:
        raise ValueError(f"{expected}; this one needs {error.name}, which is not installed here") from None
    except KeyError:
        raise ValueError(f"{expected}; it knows no such scheme") from None
    except ValueError:
        raise ValueError(f"{expected}, {CHARACTERS}") from None
    return url


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(path), safe=' +/')}"


def database(url: str) -> str:
    """Make the path of an SQLite file relative to the project root."""
    from db.engine import database_address  # takes 0.15 s, and `captionbot caption` needs no database

    address = database_address(url)
    if address.drivername == "sqlite":
        path = Path(address.database or "")
        try:
            path = from_root(path.parent) / path.name
        except ValueError as error:
            raise ValueError(f"a file in {error}") from None
        if path.is_dir():
            raise ValueError(f"a file, and {path} is a folder")
        address = address.set(database=str(path))
    return address.render_as_string(hide_password=False)


def store(value: object) -> object:
    """A folder, relative to the project root, or any URL that fsspec supports."""
    text = str(value)
    if "://" not in text:
        return str(from_root(Path(text)))
    from fsspec.registry import available_protocols  # type: ignore[import-untyped]

    if (protocol := re.split("::|://", text)[0]) not in available_protocols():
        raise ValueError(f"a folder or a URL that fsspec supports, such as s3://BUCKET/PATH; it knows no {protocol}://")
    return text


HttpUrl = url_of("https", "http")
ApiUrl = url_of("https", "http", bare=True)
