"""Rate limits for each person, counted in Redis for all processes together, or in memory without Redis.

While Redis does not answer, each process counts for itself, so that nobody has to wait and no photo is refused.
"""

import time

from limits import parse_many

from bots.errors import TooManyRequests
from bots.service.moving_windows import LocalWindows, RedisWindows, Window
from worker.redis_outages import redis_outages
from worker.redis_url import connect

REDIS_TIMEOUT = 0.1  # seconds
REDIS_RETRY = 15.0  # seconds after a failure until Redis is tried again


class RateLimits:
    """A moving-window limiter.

    Args:
        rates: in the format of RATE_LIMIT, such as "120/hour;30/minute".
        prefix: of the keys in Redis.
    """

    def __init__(self, rates: str, redis_url: str | None = None, prefix: str = "captionbot"):
        self._windows = [Window(rate.amount, rate.get_expiry()) for rate in parse_many(rates)]
        self._local = LocalWindows()
        self._shared = _in_redis(redis_url, prefix) if redis_url else None
        self._redis_retry_at = 0.0  # as time.monotonic()

    def hit(self, person: str) -> None:
        """Count one request of a person. Raises TooManyRequests, with the time to wait, if a limit is reached.

        What is refused does not count.
        """
        wait = self._hit(person)
        if wait > 0:
            raise TooManyRequests(retry_after=max(1.0, wait))

    def _hit(self, person: str) -> float:
        if self._shared is not None and time.monotonic() >= self._redis_retry_at:
            try:
                wait = self._shared.hit(person, self._windows)
            except Exception as error:  # whatever a client library raises
                redis_outages.failed(error)  # meanwhile each process counts for itself
                self._redis_retry_at = time.monotonic() + REDIS_RETRY
            else:
                redis_outages.answered()
                return wait
        return self._local.hit(person, self._windows)


def _in_redis(url: str, prefix: str) -> RedisWindows:
    from redis.backoff import NoBackoff  # imported here: one process alone needs no Redis
    from redis.retry import Retry

    times = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT}
    return RedisWindows(connect(url, **times, retry=Retry(NoBackoff(), 0)), f"{prefix}:rates")
