"""The types of settings' values: each checks a value, and says what would be right.

A validator raises ValueError with the end of the sentence "NAME is VALUE; it should be ...".
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo

from worker.redis_url import is_host

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER_KEYS = {"change-me", "changeme", "change_me", "secret", "sample", "example", "secret-key"}
OWN_PATHS = ("api", "static", "docs", "openapi.json", "healthz", "readyz", "metrics")
RATE = r"[1-9]\d{0,8}/(second|minute|hour|day)"


class WrongSetting(Exception):
    """A setting has an invalid value. Correct it in the environment or in .env."""


def no_url(value: object) -> object:
    if isinstance(value, str) and "://" in value:
        raise ValueError("a folder, not a URL")
    return value


def from_root(path: Path) -> Path:
    """An absolute path to a folder or to what may become one. Relative paths are relative to the project root."""
    try:
        path = ROOT / path.expanduser()
        above = next(folder for folder in (path, *path.parents) if folder.exists())
    except RuntimeError:
        raise ValueError("a folder, and there is no such home") from None
    except OSError as error:  # a name that is too long, or a folder that is closed to this user
        raise ValueError(f"a folder that can be reached ({error.strerror})") from None
    if "\0" in str(path) or not above.is_dir():
        raise ValueError(f"a folder, and {above} is a file" if above.is_file() else "a folder")
    return path


def upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def admins(value: object) -> object:
    keys = tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value
    if not isinstance(keys, tuple) or not all(re.fullmatch(r"(telegram|discord):[0-9]{1,20}", key) for key in keys):
        raise ValueError("platform:number, separated by commas, such as telegram:1234,discord:5678")
    return keys


def rates(value: str) -> str:
    if not re.fullmatch(rf"{RATE}(;{RATE})*;?", value, re.ASCII):
        raise ValueError("photos/time, separated by semicolons, such as 120/hour;30/minute")
    return value


def host(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if ":" in value or not is_host(value):
            raise ValueError("an address of this machine without a port: 127.0.0.1, ::1, localhost") from None
    return value


def key_prefix(value: str) -> str:
    if not re.fullmatch(r"[\w.:-]{1,50}", value, re.ASCII):
        raise ValueError("1 to 50 letters, digits, and _ . : -")
    return value


def root_path(value: str) -> str:
    """The path of a host below which the page lies, without / at its end."""
    value = value.rstrip("/")
    if not re.fullmatch(r"(/[\w.~-]+)*", value, re.ASCII) or {".", ".."} & {*value.split("/")}:
        raise ValueError("a path such as /captions, of letters, digits and _ . ~ -")
    if value.split("/")[1:2] in [[name] for name in OWN_PATHS]:
        raise ValueError(f"a path such as /captions that begins with none of {', '.join(OWN_PATHS)}")
    return value


def secret_key(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Without a broker everything runs on one machine and any key will do. Otherwise it must be hard to guess."""
    if (
        value
        and info.data.get("broker_url")
        and (value.get_secret_value().lower() in PLACEHOLDER_KEYS or len(value) < 16)
    ):
        raise ValueError("a long random text: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'")
    return value


def token(value: SecretStr | None) -> SecretStr | None:
    """A token travels in a URL or a header. Whether it looks like one of the platform is what `doctor` says."""
    if value and not re.fullmatch("[!-~ ]+", value.get_secret_value()):
        raise ValueError("letters, digits and punctuation of ASCII, as it was copied")
    return value


def webhook_secret(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if not re.fullmatch(r"[\w-]{1,256}", value.get_secret_value() if value else "-", re.ASCII):
        raise ValueError("1 to 256 letters, digits, _ and -")
    if value is None and info.data.get("telegram_webhook_url"):
        raise ValueError("set, as TELEGRAM_WEBHOOK_URL is: 1 to 256 letters, digits, _ and -")
    return value


Folder = Annotated[Path, BeforeValidator(no_url), AfterValidator(from_root)]
Host = Annotated[str, AfterValidator(host)]
Token = Annotated[SecretStr | None, AfterValidator(token)]
