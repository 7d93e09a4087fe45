"""Celery's consumer, which waits for a broker that answers but refuses for now.

Celery connects again when a connection breaks, and ends when a server answers with an error. Redis answers so while it
is a replica (READONLY, UNBLOCKED), or takes no writes because its last snapshot failed (MISCONF) or its memory is full
(OOM): all of these pass, or are the operator's to mend while the worker waits.
"""

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds; Celery itself would connect again at once, and be refused again


class PatientConsumer(Consumer):
    """Needs Celery's setting `broker_channel_error_retry`."""

    refused = False  # since it last took messages

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        self._wait(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        super().on_connection_error_after_connected(exc)
        self._wait(exc)

    def loop_args(self) -> Any:
        """Called when everything is connected, before the loop that takes messages."""
        if self.refused:
            log.info("the broker takes messages again")
        self.refused = False
        return super().loop_args()

    def _wait(self, error: Exception) -> None:
        log.log(logging.DEBUG if self.refused else logging.WARNING, "the broker refuses for now, waiting: %s", error)
        self.refused = True
        time.sleep(PAUSE)
