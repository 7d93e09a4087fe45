"""Keeps secrets out of logs: in messages, in their arguments and in the text of exceptions, whoever logs them.

HTTP clients log whole URLs, and a bot's token is part of Telegram's.
"""

import logging
from typing import Any

STARS = "**********"
_secrets: set[str] = set()
_formatter = logging.Formatter()


def hide(secret: str) -> None:
    """From now on this text, which must not be empty, is stars in every log of this process."""
    _secrets.add(secret)
    if not isinstance(logging.getLogRecordFactory(), _Factory):
        logging.setLogRecordFactory(_Factory(logging.getLogRecordFactory()))


def without_secrets(text: str) -> str:
    for secret in _secrets:
        text = text.replace(secret, STARS)
    return text


class _Factory:
    """Makes log records as the factory before it did, then looks at what they say."""

    def __init__(self, make: Any):
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **more)
        said = record.getMessage()
        if (clean := without_secrets(said)) != said:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            traceback = _formatter.formatException(record.exc_info)
            if (clean := without_secrets(traceback)) != traceback:
                record.exc_text, record.exc_info = clean, None  # formatters print the text that is there
        return record
