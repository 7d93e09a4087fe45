"""Celery's consumer, which waits for a broker that answers but refuses for now.

Celery connects again when a connection breaks, and ends when a server answers with an error. Redis answers so while it
is a replica (READONLY, UNBLOCKED), or takes no writes because its last snapshot failed (MISCONF) or its memory is full
(OOM): all of these pass, or are the operator's to mend while the worker waits.
"""

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer  # type: ignore[import-untyped]

from worker.redis_outages import redis_outages

PAUSE = 1.0  # seconds; Celery itself would connect again at once, and be refused again
OUTAGES = "consumer: Connection to broker lost", "consumer: Cannot connect to"  # how Celery's messages of them begin


class PatientConsumer(Consumer):
    """Needs Celery's setting `broker_channel_error_retry`."""

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        self._wait(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        super().on_connection_error_after_connected(exc)
        self._wait(exc)

    def loop_args(self) -> Any:
        """Called when everything is connected, before the loop that takes messages."""
        redis_outages.answered()
        return super().loop_args()

    def _wait(self, error: Exception) -> None:
        redis_outages.failed(error)
        time.sleep(PAUSE)


def _leave_out_outages(record: logging.LogRecord) -> bool:
    """Drop what Celery logs of each try to connect, over several lines: `redis_outages` says it once."""
    message = record.getMessage()
    if not message.startswith(OUTAGES):
        return True
    errors = [argument for argument in record.args or () if isinstance(argument, Exception)]
    redis_outages.failed(errors[0] if errors else ConnectionError(message))
    return False


logging.getLogger("celery.worker.consumer.consumer").addFilter(_leave_out_outages)
