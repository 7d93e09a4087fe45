"""The time that is written into the database, and compared there: with PostgreSQL it is the server's.

Several machines share a database, and one of them may have a clock that is an hour ahead: its leases would hold for an
hour after its death. So each process measures the server's time when it connects and once a minute, and counts on from
there by a clock that nobody sets. SQLite's processes share one machine, whose clock it is.
"""

import time
from datetime import UTC, datetime, timedelta

MEASURED = 60.0  # seconds until the server's time is measured again

_measured: tuple[datetime, float] | None = None  # the server's time, and that of `_elapsed` at the same moment


def now() -> datetime:
    """The current time in UTC, by the database's clock."""
    if _measured is None:
        return own_time()
    at, elapsed = _measured
    return at + timedelta(seconds=_elapsed() - elapsed)


def own_time() -> datetime:
    """The current time by this machine's clock."""
    return datetime.now(UTC)


def follow(server: datetime | None) -> None:
    """Count on from the server's current time; None for a database without a clock of its own."""
    global _measured
    _measured = None if server is None else (server.astimezone(UTC), _elapsed())


def is_due() -> bool:
    """Whether the server's time should be measured again."""
    return _measured is None or _elapsed() - _measured[1] > MEASURED


def _elapsed() -> float:
    """Seconds since some moment, with those that the machine slept where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
