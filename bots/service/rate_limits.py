"""Rate limits for each person, counted in Redis for all processes together, or in memory without Redis.

While Redis does not answer, each process counts for itself, so that nobody has to wait and no photo is refused.
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
from worker.redis_outages import redis_outages
from worker.redis_url import connect

log = logging.getLogger(__name__)

REDIS_TIMEOUT = 0.1  # seconds
REDIS_RETRY = 15.0  # seconds after a failure until Redis is tried again


class RateLimits:
    """A moving-window limiter.

    Args:
        rates: in the format of RATE_LIMIT, such as "120/hour;30/minute".
        prefix: of the keys in Redis.
    """

    def __init__(self, rates: str, redis_url: str | None = None, prefix: str = "captionbot"):
        self._rates = parse_many(rates)
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()
        self._shared = _in_redis(redis_url, prefix) if redis_url else None
        self._redis_retry_at = 0.0  # as time.monotonic()

    def hit(self, person: str) -> None:
        """Count one request of a person. Raises TooManyRequests, with the time to wait, if a limit is reached."""
        wait = self._with_limiter(lambda limiter: _hit(limiter, self._rates, person))
        if wait > 0:
            raise TooManyRequests(retry_after=wait)

    def _with_limiter(self, call: Callable[[MovingWindowRateLimiter], float]) -> float:
        if self._shared is not None and time.monotonic() >= self._redis_retry_at:
            try:
                wait = call(self._shared)
            except Exception as error:  # whatever a client library raises
                redis_outages.failed(error)  # meanwhile each process counts for itself
                self._redis_retry_at = time.monotonic() + REDIS_RETRY
            else:
                redis_outages.answered()
                return wait
        with self._lock:
            return call(self._local)


def _hit(limiter: MovingWindowRateLimiter, rates: list[RateLimitItem], person: str) -> float:
    """Count one request. Returns 0, or the seconds to wait if it was refused, which does not count."""
    exceeded = [rate for rate in rates if not limiter.test(rate, person)]
    # Another process may count a request between test and hit; a hit is counted only below the limit.
    exceeded = exceeded or [rate for rate in rates if not limiter.hit(rate, person)]
    if exceeded:
        return max(1.0, max(limiter.get_window_stats(rate, person).reset_time for rate in exceeded) - time.time())
    return 0.0


def _in_redis(url: str, prefix: str) -> MovingWindowRateLimiter:
    from redis.backoff import NoBackoff  # imported here: one process alone needs no Redis
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT,
        "socket_connect_timeout": REDIS_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
    pool = connect(url, **options).connection_pool
    return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=f"{prefix}:rates"))
