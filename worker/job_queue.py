"""The queue, as front-ends and workers see it: a Celery app whose one message is the id of a caption's row.

Imports neither the model nor the database: front-ends start fast. The task itself is in pipeline.py; only workers
register it.
"""

from collections.abc import Iterable
from typing import Any

from celery import Celery  # type: ignore[import-untyped]

from worker.notifications import Notifier, create_notifier
from worker.outbox import Outbox
from worker.redis_url import KombuAddress, for_kombu, is_redis
from worker.transports import choose_transport

__all__ = ["TASK", "JobQueue", "Notifier", "create_app", "create_notifier", "send", "send_many"]

TASK = "captionbot.caption"
MEMORY = "memory://localhost/"
POLLING_INTERVAL = (
    0.01  # seconds until a worker that holds all the messages it may looks again whether it may hold more
)


class JobQueue(Celery):
    """A Celery app that also sends messages from a thread of its own."""

    outbox: Outbox[int]
    transport: str  # which one it uses, for the log


def create_app(broker_url: str | None, prefix: str = "captionbot", transport: str = "auto") -> JobQueue:
    """The queue at this broker.

    Args:
        broker_url: of any broker that Celery knows; None is one in memory, for a worker in the same process.
        prefix: of the queue's name and of the keys in Redis, so that two captionbots can share a broker.
        transport: "auto" or "kombu", see transports.py.
    """
    url = broker_url or MEMORY
    address = for_kombu(url) if is_redis(url) else KombuAddress(url, {}, None)
    chosen = choose_transport(address.url.partition(":")[0], transport)
    app = JobQueue(prefix, loader="app", broker=address.url, set_as_current=False)  # and not CELERY_LOADER
    app.conf.update(
        task_default_queue=f"{prefix}.captions",
        broker_transport=chosen.path,
        broker_transport_options=_transport_options(url, prefix) | address.transport_options,
        broker_use_ssl=address.ssl,
        broker_connection_timeout=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # what a server refuses for now, see celery_consumer.py
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # After an outage Celery would take messages one by one for a while. Nothing is captioned twice anyway.
        worker_enable_prefetch_count_reduction=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,  # there are none: the pipeline runs them, no pool
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    app.transport = chosen.name
    app.outbox = Outbox(lambda ids: _publish(app, ids), "jobs")
    return app


def send(app: JobQueue, caption_id: int) -> None:
    """Put a caption into the queue, after the transaction that made its row has been committed.

    Returns at once and raises nothing. While the broker is down ids wait in this process; if they get lost, the row is
    still queued in the database and is sent again.
    """
    send_many(app, [caption_id])


def send_many(app: JobQueue, caption_ids: Iterable[int]) -> None:
    """`send` for many captions."""
    app.outbox.put(caption_ids)


def _publish(app: JobQueue, caption_ids: list[int]) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for caption_id in caption_ids:
            app.send_task(TASK, (caption_id,), producer=producer, retry=False)


def _transport_options(url: str, prefix: str) -> dict[str, Any]:
    if is_redis(url):
        return {
            "global_keyprefix": f"{prefix}:",
            "priority_steps": [0],  # one queue instead of four
            "socket_connect_timeout": 1,  # seconds
            "socket_timeout": 5,
        }
    return {"polling_interval": POLLING_INTERVAL} if url.startswith("memory:") else {}
