"""Sends aside, on its own thread, what must not keep its caller waiting: a broker that is down blocks for seconds."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")

LIMIT = 10_000  # items that may wait
PAUSE = 1.0  # seconds until what failed is tried again


class Outbox(Generic[Item]):
    """Gives `send` all that waits, in order, again and again until it raises nothing.

    Delivery is a kindness, no promise: what exceeds the limit is dropped, and after a failure some items may be sent
    twice. The database knows better in both cases.
    """

    def __init__(self, send: Callable[[list[Item]], None], what: str, *, limit: int = LIMIT, pause: float = PAUSE):
        """what: for the log, such as "jobs"."""
        self._send, self._what, self._limit, self._pause = send, what, limit, pause
        self._waiting: list[Item] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, items: Iterable[Item]) -> None:
        """Returns at once and raises nothing."""
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
        """Send what waits, for at most `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        failing = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                items, self._waiting = self._waiting, []
            try:
                self._send(items)
            except Exception as error:  # whatever a client library raises: the row in the database is the truth
                log.log(
                    logging.DEBUG if failing else logging.WARNING, "%s cannot be sent now: %s", self._what, _line(error)
                )
                failing = True
                with self._changed:
                    self._waiting = [*items, *self._waiting][: self._limit]
                time.sleep(self._pause)
            else:
                if failing:
                    log.info("%s are sent again", self._what)
                failing = False


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
