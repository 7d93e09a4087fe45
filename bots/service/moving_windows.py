"""Counts of requests in the last seconds, for limits such as 30 in a minute: in Redis, or in this process alone.

No machine's clock counts. In Redis it is the server's, so that pages on machines whose clocks differ count alike; in a
process it is one that nobody sets.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CLEANED = 60.0  # seconds between removals of what no limit counts any more

# One list for each window, newest first. KEYS: the lists; ARGV: the amount and the seconds of each window in turn.
HIT = """
local time = redis.call('TIME')
local now, wait = time[1] + time[2] / 1000000, 0
for i, key in ipairs(KEYS) do
    local last = tonumber(redis.call('LINDEX', key, ARGV[2 * i - 1] - 1))
    if last then wait = math.max(wait, last + ARGV[2 * i] - now) end
end
if wait == 0 then
    for i, key in ipairs(KEYS) do
        redis.call('LPUSH', key, string.format('%.6f', now))
        redis.call('LTRIM', key, 0, ARGV[2 * i - 1] - 1)
        redis.call('EXPIRE', key, ARGV[2 * i])
    end
end
return tostring(wait)
"""


@dataclass(frozen=True)
class Window:
    """At most so many requests in so many seconds."""

    amount: int
    seconds: int


class RedisWindows:
    """Counts for all processes together. Raises what redis-py raises."""

    def __init__(self, client: Any, prefix: str):
        """
        Args:
            client: a redis.Redis.
            prefix: of the keys in it.
        """
        self._script, self._prefix = client.register_script(HIT), prefix

    def hit(self, person: str, windows: Sequence[Window]) -> float:
        """Count one request in all windows. Returns 0; or the seconds to wait if one is full, and then counts none."""
        keys = [f"{self._prefix}:{person}:{window.amount}/{window.seconds}" for window in windows]
        return float(self._script(keys, [value for window in windows for value in (window.amount, window.seconds)]))


class LocalWindows:
    """Counts for this process. May be used from any thread."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, Window], deque[float]] = {}  # as time.monotonic(), oldest first
        self._lock = threading.Lock()
        self._clean_at = 0.0

    def hit(self, person: str, windows: Sequence[Window]) -> float:
        """As `RedisWindows.hit`."""
        with self._lock:
            now = time.monotonic()
            self._clean(now)
            wait = max((self._wait(person, window, now) for window in windows), default=0.0)
            if wait == 0:
                for window in windows:
                    self._times.setdefault((person, window), deque(maxlen=window.amount)).append(now)
            return wait

    def _wait(self, person: str, window: Window, now: float) -> float:
        times = self._times.get((person, window))
        return max(0.0, times[0] + window.seconds - now) if times and len(times) == window.amount else 0.0

    def _clean(self, now: float) -> None:
        if now >= self._clean_at:
            self._clean_at = now + CLEANED
            self._times = {key: times for key, times in self._times.items() if times[-1] + key[1].seconds > now}
