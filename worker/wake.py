"""Wakes the front-end that owns a finished caption. A lost call is harmless: front-ends look by themselves too."""

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from worker.outbox import Outbox

log = logging.getLogger(__name__)

Callback = Callable[[int], None]  # gets the caption's row id, on a thread that is not its own; must not block
RECONNECT = 1.0  # seconds


class Wakes(Protocol):
    """What workers and front-ends share."""

    def notify(self, done: Mapping[str, Sequence[int]]) -> None:
        """Captions are done or have failed: front-end -> row ids. Returns at once, raises nothing."""
        ...

    def subscribe(self, front_end: str, callback: Callback) -> Callable[[], None]:
        """Call back for each caption of this front-end that is ready. Gives what ends the subscription.

        In asyncio: `subscribe("web", lambda row: loop.call_soon_threadsafe(event.set))`.
        """
        ...

    def close(self) -> None: ...


def create_wakes(redis_url: str | None, prefix: str = "captionbot") -> Wakes:
    """Over Redis, or inside this process: then its front-ends and its worker must share the object."""
    return RedisWakes(redis_url, prefix) if redis_url else LocalWakes()


class LocalWakes:
    """Inside one process."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callback]] = defaultdict(list)
        self._lock = threading.Lock()

    def notify(self, done: Mapping[str, Sequence[int]]) -> None:
        for front_end, rows in done.items():
            with self._lock:
                callbacks = list(self._callbacks[front_end])
            for callback in callbacks:
                _call(callback, rows)

    def subscribe(self, front_end: str, callback: Callback) -> Callable[[], None]:
        with self._lock:
            self._callbacks[front_end].append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._callbacks[front_end]:
                    self._callbacks[front_end].remove(callback)

        return unsubscribe

    def close(self) -> None:
        with self._lock:
            self._callbacks.clear()


class RedisWakes:
    """Between processes: row ids as JSON on the channel `<prefix>:done:<front-end>`."""

    def __init__(self, url: str, prefix: str = "captionbot"):
        import redis  # not needed by those who run in one process

        self._redis: Any = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, socket_keepalive=True)
        self._channel = f"{prefix}:done:"
        self._local = LocalWakes()
        self._outbox: Outbox[tuple[str, int]] = Outbox(self._publish, "wake-ups")
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    def notify(self, done: Mapping[str, Sequence[int]]) -> None:
        self._outbox.put((front_end, row) for front_end, rows in done.items() for row in rows)

    def subscribe(self, front_end: str, callback: Callback) -> Callable[[], None]:
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="wakes", daemon=True)
                self._listener.start()
        return self._local.subscribe(front_end, callback)

    def close(self) -> None:
        self._closed.set()
        self._outbox.close()
        self._local.close()

    def _publish(self, done: Iterable[tuple[str, int]]) -> None:
        rows: dict[str, list[int]] = defaultdict(list)
        for front_end, row in done:
            rows[front_end].append(row)
        for front_end, ids in rows.items():
            self._redis.publish(self._channel + front_end, json.dumps(ids))

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as channels:
                    channels.psubscribe(self._channel + "*")
                    while not self._closed.is_set():
                        if message := channels.get_message(timeout=1.0):
                            front_end = message["channel"].decode().removeprefix(self._channel)
                            self._local.notify({front_end: json.loads(message["data"])})
            except Exception as error:
                log.debug("Redis does not answer, front-ends poll meanwhile: %s", error)
                self._closed.wait(RECONNECT)


def _call(callback: Callback, rows: Iterable[int]) -> None:
    """One front-end that is closing must not keep the others from their captions."""
    for row in rows:
        try:
            callback(row)
        except Exception:
            log.exception("a front-end could not be woken")
