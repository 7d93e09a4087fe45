"""A log handler that writes what repeats once a minute, with a count: an outage or an attack must not fill the disk.

Messages are the same if they differ in numbers and other identifiers alone. The first ones of a minute are written as
they are; of those that follow one line says how many there were.
"""

import copy
import logging
import re
import threading
import time
from typing import Any

WINDOW = 60.0  # seconds
FIRST = 3  # messages of a kind that are written in a window
MOST_KINDS = 1000  # that are counted at a time
VARYING = re.compile(r"\b[0-9a-f]{8,}\b|0x[0-9a-f]+|\d+", re.IGNORECASE)


class RepeatHandler(logging.StreamHandler[Any]):
    """Writes to stderr. Only warnings and errors are counted; what is less is written each time."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[tuple[object, ...], int] = {}  # kind -> messages of it in this window
        self._last: dict[tuple[object, ...], logging.LogRecord] = {}  # kind -> the last message that was left out
        self._ends = 0.0  # when this window ends, as time.monotonic()
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:  # is called with the handler's lock
        if record.levelno < logging.WARNING:
            return super().emit(record)
        if time.monotonic() >= self._ends:
            self._end_window()
            self._ends = time.monotonic() + WINDOW
        kind = _kind(record)
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = (record.name, record.levelno)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] <= FIRST:
            return super().emit(record)
        self._last[kind] = record
        if self._timer is None:
            self._timer = threading.Timer(self._ends - time.monotonic(), self.write_counts)
            self._timer.daemon = True
            self._timer.start()

    def write_counts(self) -> None:
        """Say now how many messages were left out, and begin a new window."""
        with self.lock:  # type: ignore[union-attr]
            self._end_window()

    def close(self) -> None:
        self.write_counts()
        super().close()

    def _end_window(self) -> None:
        left_out, counts = self._last, self._counts
        self._last, self._counts, self._ends = {}, {}, 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for kind, last in left_out.items():
            record = copy.copy(last)  # without its traceback: those of the first messages are there
            record.msg, record.args, record.exc_info, record.exc_text = (
                _summary(last, counts[kind] - FIRST),
                (),
                None,
                None,
            )
            super().emit(record)


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    error = record.exc_info[0] if record.exc_info else None
    return record.name, record.levelno, VARYING.sub("#", str(record.msg)), error


def _summary(record: logging.LogRecord, count: int) -> str:
    first_line = record.getMessage().partition("\n")[0]
    return f"{count} more of these within a minute, the last: {first_line}"
