"""Kombu's Redis transport with commands sent in batches.

Kombu sends Redis commands for each message three times: to take it, to record that it was taken but not yet
acknowledged, and to remove that record. Here each of these is done for many messages at once.

It overrides private methods of Kombu's, so it is used only with the series it was tested with, see transports.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import time
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads


class QoS(redis.QoS):
    """Keeps the messages that were taken and not yet acknowledged, here and in Redis, in case this process dies."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._taken: dict[str, Any] | None = None  # delivery tag -> message, in a batch; else None
        self._acked: list[str] = []  # delivery tags

    def append(self, message: Any, delivery_tag: str) -> None:
        if self._taken is None:
            super().append(message, delivery_tag)
        else:
            self._taken[delivery_tag] = message
            virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        if self.channel.connection.in_event_loop:
            self._acked.append(delivery_tag)
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    @contextmanager
    def in_one_batch(self) -> Iterator[None]:
        """Record the messages that are taken within this context in Redis when it ends."""
        taken: dict[str, Any] = {}
        self._taken = taken
        try:
            yield
        finally:
            self._taken = None
            if taken:
                records = {tag: _record(message) for tag, message in taken.items()}
                with self.pipe_or_acquire() as pipe:
                    pipe.zadd(self.unacked_index_key, dict.fromkeys(taken, time()))
                    pipe.hset(self.unacked_key, mapping=records).execute()

    def remove_acknowledged(self) -> None:
        """Remove acknowledged messages from Redis. If that fails they come again, and nothing is captioned twice."""
        if tags := self._acked:
            self._acked = []
            with self.pipe_or_acquire() as pipe:
                pipe.zrem(self.unacked_index_key, *tags).hdel(self.unacked_key, *tags).execute()


class Channel(redis.Channel):
    """Takes messages in batches. Threads may share its client of redis-py, which takes connections from a pool."""

    QoS = QoS
    _shared_client: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Kombu makes a client for each command, which costs more than the command; here a channel keeps one."""
        if client is None:
            client = self._shared_client = self._shared_client or self._create_client()
        yield client

    def close(self) -> None:
        with suppress(*self.connection_errors, self.ResponseError):
            self.qos.remove_acknowledged()
        super().close()

    def _brpop_read(self, **options: Any) -> Any:
        """Deliver the message that BRPOP returned, and as many of those behind it as may be held."""
        with self.qos.in_one_batch():
            result = super()._brpop_read(**options)
            for queue in () if self._closing else self.active_queues:
                if room := self.qos.can_consume_max_estimate():
                    with self.conn_or_acquire() as client:
                        messages = client.rpop(self._q_for_pri(queue, self.priority_steps[0]), room) or ()
                    for message in messages:
                        self.connection._deliver(loads(bytes_to_str(message)), queue)
            return result


class Transport(redis.Transport):
    Channel = Channel
    in_event_loop = False  # in a worker's, acknowledged messages are removed once in each turn of the loop

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        self.in_event_loop = True
        loop.on_tick.add(self._remove_acknowledged)
        super().register_with_event_loop(connection, loop)

    def _remove_acknowledged(self) -> None:
        for channel in self.channels:
            channel.qos.remove_acknowledged()


def _record(message: Any) -> str:
    """A message as Kombu records it, and reads it to give it to another worker."""
    delivery = message.delivery_info
    return dumps([message._raw, delivery["exchange"], delivery["routing_key"]])
