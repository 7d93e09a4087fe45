"""Kombu's Redis transport with one client a channel. It makes one a command, which costs more than the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """Clients of redis-py may be shared between threads: the connections come from the channel's pool either way."""

    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        if client is None:
            client = self._kept = self._kept or self._create_client()
        yield client


class Transport(redis.Transport):
    Channel = Channel
