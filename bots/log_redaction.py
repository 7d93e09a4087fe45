"""Removes secrets from log messages, their arguments and tracebacks, whichever library logs them.

This is needed because HTTP clients log whole URLs, and Telegram's URLs contain the bot's token. Keys of the API are
recognised by their form.
"""

import logging
import re
from collections.abc import Iterable
from typing import Any

STARS = "**********"
API_KEY_PREFIX = "captionbot_"
API_KEY = re.compile(API_KEY_PREFIX + r"[\w-]{43}", re.ASCII)
_secrets: set[str] = set()
_formatter = logging.Formatter()


def hide_secret(secret: str) -> None:
    """Replace this text, which must not be empty, by stars in all later log records of this process."""
    _secrets.add(secret)
    redact_logs()


def redact_logs() -> None:
    """Replace secrets in all later log records of this process: keys of the API, and those that are hidden."""
    if not isinstance(logging.getLogRecordFactory(), _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(logging.getLogRecordFactory()))


def without_secrets(text: str, secrets: Iterable[str] = _secrets) -> str:
    """The text with all secrets replaced by stars; the longest first, because one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, STARS)
    return API_KEY.sub(STARS, text)


class _RedactingFactory:
    """Makes log records with the previous factory, then removes secrets from them."""

    def __init__(self, make: Any):
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **more)
        message = record.getMessage()
        if (clean := without_secrets(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            traceback = _formatter.formatException(record.exc_info)
            if (clean := without_secrets(traceback)) != traceback:
                record.exc_text, record.exc_info = clean, None  # formatters use exc_text if it is set
        return record
