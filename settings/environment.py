"""Variables that libraries read from the environment, and on whose wrong values they would fail with a traceback."""

import ipaddress
import os
import ssl
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from settings.messages import sentence, without_credentials
from settings.settings import Settings
from settings.urls import is_url
from settings.values import WrongSetting
from worker.redis_url import is_host

PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in any case
CELERY = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_CONFIG_MODULE")


def check_environment(settings: Settings) -> None:
    """Raise WrongSetting with a sentence for each variable that would keep a process with these settings from working.

    Commands that use no network and no queue need not check: such a variable may be right for other programs.
    """
    if wrong := list(_wrong_variables(settings)):
        raise WrongSetting("; ".join(wrong))


def libpq_variables() -> list[str]:
    """The variables that are set and that PostgreSQL's library reads, for what DATABASE_URL leaves open."""
    from psycopg.pq import Conninfo

    names = sorted(option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar)
    return [name for name in names if os.environ.get(name)]


def _wrong_variables(settings: Settings) -> Iterator[str]:
    for name, value in os.environ.items():
        if value and (expected := _expected(name, value, settings)):
            hidden = name.lower() in PROXIES or name in CELERY
            yield sentence(name, without_credentials(value) if hidden else value, expected)


def _expected(name: str, value: str, settings: Settings) -> str | None:
    """What the value of a variable should be; None if it is right, or if nothing reads it with these settings."""
    if name in CELERY:
        return "not set, because captionbot takes its broker from BROKER_URL and Celery would prefer this one"
    if name == "PROMETHEUS_MULTIPROC_DIR" and not Path(value).is_dir():
        return "not set, or a folder"
    if not settings.telegram_token and not settings.discord_token:
        return None
    if name.lower() in PROXIES:
        return _expected_proxy(value, settings)
    if name.lower() == "no_proxy" and settings.telegram_token:
        return _expected_exceptions(value)
    if name == "SSL_CERT_FILE" and not _has_certificates(value):
        return "a file of certificates in PEM format"
    if name == "SSL_CERT_DIR" and not Path(value).is_dir():
        return "a folder of certificates"
    if name == "SSLKEYLOGFILE" and (Path(value).is_dir() or not Path(value).parent.is_dir()):
        return "a file in a folder that exists"
    return None


def _expected_proxy(value: str, settings: Settings) -> str | None:
    schemes = ["http://", "https://"]
    if settings.discord_token is None and find_spec("socksio"):  # Discord's library takes no others
        schemes += ["socks5://", "socks5h://"]
    value = value if "://" in value else f"http://{value}"
    right = value.startswith(tuple(schemes)) and is_url(value)
    return None if right else f"a URL such as http://HOST:3128 that begins with {' or '.join(schemes)}"


def _expected_exceptions(value: str) -> str | None:
    """Networks of IPv4 addresses are taken, and without effect. Those of IPv6 addresses stop the Telegram library."""
    entries = [entry.strip() for entry in value.split(",")]
    wrong = [entry for entry in entries if entry and not _is_exception(entry)]
    if not wrong or "*" in entries:
        return None
    return (
        "names and addresses separated by commas, such as localhost,.example.org,10.0.0.1,fd07::1, "
        f"and no networks of IPv6 addresses; {wrong[0]!r} is wrong"
    )


def _is_exception(entry: str) -> bool:
    if "://" in entry:
        return is_url(entry)
    try:
        address, _, bits = entry.partition("/")
        return ipaddress.ip_address(address).version == 4 or not bits
    except ValueError:
        return entry.isascii() and not entry.startswith("[") and is_host(entry.lstrip("*."))


def _has_certificates(path: str) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # SSLError is one too
        return False
    return True
