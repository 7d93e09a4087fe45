"""How much one person may send. Counted in Redis, so that all front-ends count together, or in memory without it.

While Redis does not answer, each process counts for itself: nobody waits, and nobody is refused, for Redis' sake.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from bots.errors import TooManyRequests

log = logging.getLogger(__name__)

PATIENCE = 0.1  # seconds that Redis has to answer
PAUSE = 15.0  # seconds for which Redis is not asked after it failed


class Limits:
    """rates: as RATE_LIMIT has them, such as "120/hour;30/minute". prefix: of the keys in Redis."""

    def __init__(self, rates: str, redis_url: str | None = None, prefix: str = "captionbot"):
        self._rates = parse_many(rates)
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._one_by_one = threading.Lock()
        self._shared = _in_redis(redis_url, prefix) if redis_url else None
        self._ask_again_at = 0.0  # by time.monotonic

    def spend(self, person: str) -> None:
        """Count one photo of a person. Raises TooManyRequests, which says when the next one is welcome."""
        wait = self._with_either(lambda limiter: _spend(limiter, self._rates, person))
        if wait > 0:
            raise TooManyRequests(retry_after=wait)

    def _with_either(self, do: Callable[[MovingWindowRateLimiter], float]) -> float:
        if self._shared is not None and time.monotonic() >= self._ask_again_at:
            try:
                return do(self._shared)
            except Exception as error:  # whatever a client library raises
                log.warning("rates are counted in this process, Redis does not answer: %s", type(error).__name__)
                self._ask_again_at = time.monotonic() + PAUSE
        with self._one_by_one:
            return do(self._here)


def _spend(limiter: MovingWindowRateLimiter, rates: list[RateLimitItem], person: str) -> float:
    """Seconds to wait; 0 when it was counted. What is refused does not count."""
    full = [rate for rate in rates if not limiter.test(rate, person)]
    # Between test and hit another process may have been faster; a hit is counted only if there is room.
    full = full or [rate for rate in rates if not limiter.hit(rate, person)]
    if full:
        return max(1.0, max(limiter.get_window_stats(rate, person).reset_time for rate in full) - time.time())
    return 0.0


def _in_redis(url: str, prefix: str) -> MovingWindowRateLimiter:
    from redis.backoff import NoBackoff  # not needed by those who run in one process
    from redis.retry import Retry

    patience: dict[str, Any] = {
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
        "retry": Retry(NoBackoff(), 0),
    }
    return MovingWindowRateLimiter(RedisStorage(url, key_prefix=f"{prefix}:rates", **patience))
