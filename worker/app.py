"""The queue, as front-ends and workers see it: a Celery app whose one message is the id of a caption's row.

Imports no network: front-ends start fast. The task itself is in tasks.py, and only workers know it.
"""

from collections.abc import Iterable
from typing import Any

from celery import Celery  # type: ignore[import-untyped]

from worker.outbox import Outbox
from worker.wake import Wakes, create_wakes

__all__ = ["TASK", "JobQueue", "Wakes", "create_app", "create_wakes", "send", "send_many"]

TASK = "captionbot.caption"
# By the start of their URLs: brokers for which kombu's own transport is not good enough.
TRANSPORTS = {"redis": "worker.redis_transport:Transport", "memory": "worker.memory_transport:Transport"}
POLL = 0.01  # seconds until a worker that holds all it may looks again whether it may hold more


class JobQueue(Celery):
    """A Celery app that also sends aside."""

    outbox: Outbox[int]


def create_app(broker_url: str | None, prefix: str = "captionbot") -> JobQueue:
    """Any broker that Celery knows; None is one in memory, for a worker in the same process.

    prefix: of the queue's name and of the keys in Redis, so that two captionbots can share a broker.
    """
    url = broker_url or "memory://localhost/"
    app = JobQueue(prefix, broker=url, set_as_current=False)
    app.conf.update(
        task_default_queue=f"{prefix}.captions",
        broker_transport=TRANSPORTS.get(url.partition(":")[0]),
        broker_transport_options=_transport_options(url, prefix),
        broker_connection_timeout=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # After an outage Celery would take messages one by one for a while. Rows that run twice are refused anyway.
        worker_enable_prefetch_count_reduction=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    app.outbox = Outbox(lambda ids: _publish(app, ids), "jobs")
    return app


def send(app: JobQueue, caption_id: int) -> None:
    """Put a caption's row into the queue, after its transaction has been committed.

    Returns at once and raises nothing. While the broker is down ids wait here; if they get lost, the row is still
    queued in the database and is sent again.
    """
    send_many(app, [caption_id])


def send_many(app: JobQueue, caption_ids: Iterable[int]) -> None:
    """`send` for many rows."""
    app.outbox.put(caption_ids)


def _publish(app: JobQueue, caption_ids: list[int]) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for caption_id in caption_ids:
            app.send_task(TASK, (caption_id,), producer=producer, retry=False)


def _transport_options(url: str, prefix: str) -> dict[str, Any]:
    match url.partition(":")[0].partition("+")[0]:
        case "memory":
            return {"polling_interval": POLL}
        case "redis" | "rediss" | "sentinel":
            return {
                "global_keyprefix": f"{prefix}:",
                "priority_steps": [0],  # one queue instead of four
                "socket_connect_timeout": 1,  # seconds
                "socket_timeout": 5,
            }
    return {}
