"""How Celery hands messages over: straight from the loop that reads them.

Its own way is a thread of a pool for each message, which would wait there for its batch. A task's `Strategy` is the
place that Celery has for another way.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.exceptions import InvalidTaskError  # type: ignore[import-untyped]

log = logging.getLogger(__name__)


class HandOver:
    """A `Strategy` that calls `handle` with the row of each message, and with what acknowledges the message.

    Late: until then the message is the broker's, and comes again if this process dies.
    """

    def __init__(self, handle: Callable[[int, Callable[[], None]], None]):
        """handle: returns at once."""
        self._handle = handle

    def __call__(self, task: Any, app: Any, consumer: Any) -> Callable[..., None]:
        """What Celery calls for each message of the task."""

        def take(message: Any, payload: Any, ack: Any, reject: Any, callbacks: Any) -> None:
            args = message.payload[0] if payload is None else payload["args"]
            try:
                (row,) = args
                row = int(row)
            except (TypeError, ValueError):
                raise InvalidTaskError(f"a message with {args!r} instead of the id of a row") from None
            self._handle(row, partial(ack, log, consumer.connection_errors))

        return take
