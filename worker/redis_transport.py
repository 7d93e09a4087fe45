"""Kombu's Redis transport, spoken to less often: under load a worker's messages come and go in groups.

Kombu asks Redis three times for each message: to take it, to write down that it was taken, and to cross it out.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import time
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads


class QoS(redis.QoS):
    """The messages that were taken and not yet acknowledged; Redis keeps them too, in case this process dies."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._taken: dict[str, Any] | None = None  # delivery tag -> message; None: each is written down by itself
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
    def together(self) -> Iterator[None]:
        """What is taken meanwhile is written down at the end, all at once."""
        taken: dict[str, Any] = {}
        self._taken = taken
        try:
            yield
        finally:
            self._taken = None
            if taken:
                written = {tag: _written(message) for tag, message in taken.items()}
                with self.pipe_or_acquire() as pipe:
                    pipe.zadd(self.unacked_index_key, dict.fromkeys(taken, time()))
                    pipe.hset(self.unacked_key, mapping=written).execute()

    def cross_out(self) -> None:
        """Tell Redis what was acknowledged. What does not get through comes again, and its row is found done."""
        if tags := self._acked:
            self._acked = []
            with self.pipe_or_acquire() as pipe:
                pipe.zrem(self.unacked_index_key, *tags).hdel(self.unacked_key, *tags).execute()


class Channel(redis.Channel):
    """Clients of redis-py may be shared between threads: the connections come from the channel's pool either way."""

    QoS = QoS
    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """One client a channel. Kombu makes one a command, which costs more than the command."""
        if client is None:
            client = self._kept = self._kept or self._create_client()
        yield client

    def close(self) -> None:
        with suppress(*self.connection_errors):
            self.qos.cross_out()
        super().close()

    def _brpop_read(self, **options: Any) -> Any:
        """The message that woke us, and as many of those behind it as we may hold."""
        with self.qos.together():
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
    in_event_loop = False  # a worker's: then what was acknowledged is crossed out once a turn of the loop

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        self.in_event_loop = True
        loop.on_tick.add(self._cross_out)
        super().register_with_event_loop(connection, loop)

    def _cross_out(self) -> None:
        for channel in self.channels:
            channel.qos.cross_out()


def _written(message: Any) -> str:
    """As kombu writes it down, and reads it when the message has to be given to another worker."""
    delivery = message.delivery_info
    return dumps([message._raw, delivery["exchange"], delivery["routing_key"]])
