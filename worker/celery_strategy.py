"""A Celery strategy that gives messages to the pipeline straight from the loop that reads them.

Celery's default strategy runs each task in a pool, where a thread per photo would wait for its batch. A strategy is
Celery's hook for another way: a function that its consumer calls for each message of a task.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.exceptions import InvalidTaskError  # type: ignore[import-untyped]

log = logging.getLogger(__name__)


class PipelineStrategy:
    """Calls `handle` with the caption id in each message, and with a function that acknowledges the message.

    Messages are acknowledged late: until then the broker keeps them, and delivers them again if this process dies.
    """

    def __init__(self, handle: Callable[[int, Callable[[], None]], None]):
        """handle: must return at once."""
        self._handle = handle

    def __call__(self, task: Any, app: Any, consumer: Any) -> Callable[..., None]:
        """Make the function that Celery calls for each message of the task."""

        def take(message: Any, payload: Any, ack: Any, reject: Any, callbacks: Any) -> None:
            args = message.payload[0] if payload is None else payload["args"]
            try:
                (caption_id,) = args
                caption_id = int(caption_id)
            except (TypeError, ValueError):
                raise InvalidTaskError(f"a message with {args!r} instead of the id of a row") from None
            self._handle(caption_id, partial(ack, log, consumer.connection_errors))

        return take
