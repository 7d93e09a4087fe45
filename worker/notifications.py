"""Notifier the front-end that owns a finished caption. A lost call is harmless: front-ends look by themselves too."""

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from worker.outbox import Outbox
from worker.redis_url import connect

log = logging.getLogger(__name__)

Callback = Callable[[int], None]  # gets a caption's id, on one of the notifier's threads; must not block
RECONNECT = 1.0  # seconds
LISTEN = 0.5  # seconds between two checks whether to stop
CONNECTION = {"socket_connect_timeout": 1, "socket_timeout": 5, "socket_keepalive": True}  # seconds


class Notifier(Protocol):
    """How workers tell front-ends which captions are finished."""

    def notify(self, done: Mapping[str, Sequence[int]]) -> None:
        """Captions are done or have failed: front-end -> their ids. Returns at once, raises nothing."""
        ...

    def subscribe(self, front_end: str, callback: Callback) -> Callable[[], None]:
        """Call back for each finished caption of this front-end. Returns a function that ends the subscription.

        In asyncio: `subscribe("web", lambda id: loop.call_soon_threadsafe(event.set))`.
        """
        ...

    def close(self) -> None: ...


def create_notifier(redis_url: str | None, prefix: str = "captionbot") -> Notifier:
    """A notifier over Redis, or without a URL one inside this process, which its front-ends and worker must share."""
    return RedisNotifier(redis_url, prefix) if redis_url else LocalNotifier()


class LocalNotifier:
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


class RedisNotifier:
    """Between processes: caption ids as JSON on the channel `<prefix>:done:<front-end>`."""

    def __init__(self, url: str, prefix: str = "captionbot"):
        self._redis = connect(url, **CONNECTION)
        self._channel = f"{prefix}:done:"
        self._local = LocalNotifier()
        self._outbox: Outbox[tuple[str, int]] = Outbox(self._publish, "notifications")
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    def notify(self, done: Mapping[str, Sequence[int]]) -> None:
        self._outbox.put((front_end, row) for front_end, rows in done.items() for row in rows)

    def subscribe(self, front_end: str, callback: Callback) -> Callable[[], None]:
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="notifications", daemon=True)
                self._listener.start()
        return self._local.subscribe(front_end, callback)

    def close(self) -> None:
        self._closed.set()
        self._outbox.close()
        self._local.close()
        if self._listener is not None:
            self._listener.join(2 * LISTEN)
        self._redis.close()

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
                        if message := channels.get_message(timeout=LISTEN):
                            front_end = message["channel"].decode().removeprefix(self._channel)
                            self._local.notify({front_end: json.loads(message["data"])})
            except Exception as error:
                log.debug("Redis does not answer, front-ends poll meanwhile: %s", error)
                self._closed.wait(RECONNECT)


def _call(callback: Callback, rows: Iterable[int]) -> None:
    """A callback that raises must not keep other front-ends from their captions."""
    for row in rows:
        try:
            callback(row)
        except Exception:
            log.exception("a front-end could not be notified of a finished caption", extra={"caption": row})
