"""Sends items from a thread of its own, so that callers do not wait: a broker that is down blocks for seconds."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from worker.redis_outages import redis_outages

log = logging.getLogger(__name__)

Item = TypeVar("Item")

LIMIT = 10_000
PAUSE = 1.0


class Outbox(Generic[Item]):
    """Calls `send` with all items that wait, in order, and retries until it raises nothing.

    Best effort: items beyond the limit are dropped, and after a failure some may be sent twice. Callers keep the truth
    in the database, which corrects both.
    """

    def __init__(self, send: Callable[[list[Item]], None], what: str, *, limit: int = LIMIT, pause: float = PAUSE):
        """
        Args:
            what: name of the items for the log, such as "jobs".
            limit: items that may wait.
            pause: seconds before a retry.
        """
        self._send, self._what, self._limit, self._pause = send, what, limit, pause
        self._waiting: list[Item] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, items: Iterable[Item]) -> None:
        """Add items to those that wait. Returns at once and raises nothing."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"send-{self._what}", daemon=True)
                self._thread.start()
            self._waiting += items
            if len(self._waiting) > self._limit:
                log.warning("%d %s are not sent: too many wait", len(self._waiting) - self._limit, self._what)
                del self._waiting[self._limit :]
            self._changed.notify_all()

    def close(self, timeout: float = 1.0) -> None:
        """Send the items that wait, for at most `timeout` seconds, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                items, self._waiting = self._waiting, []
            try:
                self._send(items)
            except Exception as error:  # whatever a client library raises
                redis_outages.failed(error)
                with self._changed:
                    self._waiting = [*items, *self._waiting][: self._limit]
                time.sleep(self._pause)
            else:
                redis_outages.answered()
