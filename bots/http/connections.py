"""The open connections of an HTTP server: how many there may be, and for how long one may be silent.

A connection costs whoever opens it nothing, and us a file descriptor and memory. So there is a limit for each address
and one for all of them. At a limit the connection that has been idle for the longest time makes room for the new one:
those that say nothing never keep anybody out.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

PER_ADDRESS = 100  # connections; a browser opens at most six, and an office of ten people shares an address
HEADER_TIMEOUT = 15.0  # seconds that the headers of a request may take, or what still comes after a response
SEND_TIMEOUT = 30.0  # seconds for which a client may read nothing of a response that does not fit into the buffers
_BODY = b'{"detail":"Too many connections are open. Please try again in a moment.","reason":"busy"}'
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 10\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Connections:
    """The connections of one server, by address."""

    def __init__(self, total: int, *, proxies: Container[str] = (), per_address: int = PER_ADDRESS):
        """proxies: addresses that stand for many people, so that only the limit for all connections applies to them."""
        self._total, self._proxies, self._per_address = total, proxies, per_address
        self._by_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)  # the oldest ones first
        self._count = 0

    def add(self, new: "Connection") -> bool:
        """Count a new connection; at a limit an idle one makes room. False: there is none, and it must be closed."""
        own = self._by_address.get(new.address, {})
        if len(own) >= self._per_address and new.host not in self._proxies and not self._end_idle(own):
            return False
        busiest = sorted(self._by_address.values(), key=len, reverse=True) if self._count >= self._total else ()
        if self._count >= self._total and not any(self._end_idle(connections) for connections in busiest):
            return False
        self._by_address[new.address][new] = None
        self._count += 1
        return True

    def remove(self, connection: "Connection") -> None:
        """Does nothing if it was removed before."""
        own = self._by_address.get(connection.address, {})
        if connection in own:
            del own[connection]
            self._count -= 1
            if not own:
                del self._by_address[connection.address]

    def end_overdue(self, now: float) -> None:
        """End those whose clients keep us waiting. now: the time of the event loop."""
        for connection in [each for own in self._by_address.values() for each in own if each.is_overdue(now)]:
            connection.transport.abort()

    def _end_idle(self, connections: Iterable["Connection"]) -> bool:
        oldest = min((each for each in connections if each.is_idle), key=lambda each: each.waits_since, default=None)
        if oldest is None:
            return False
        self.remove(oldest)  # now: the event loop says later that it is closed
        oldest.transport.abort()
        return True


class Connection(H11Protocol):
    """Uvicorn's protocol for one connection, which `connections` may refuse or end."""

    def __init__(self, *args: Any, connections: Connections, **more: Any):
        super().__init__(*args, **more)
        self._all = connections
        self.host = self.address = ""  # of the client; empty if it came through a Unix socket
        self.waits_since = self.loop.time()  # for the next request
        self._unread_since: float | None = None  # since when the client has not read what we sent

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def is_overdue(self, now: float) -> bool:
        if self._unread_since is not None:
            return now - self._unread_since > SEND_TIMEOUT
        return self.is_idle and now - self.waits_since > HEADER_TIMEOUT

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        self.address = network(self.host)
        if not self._all.add(self):
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.remove(self)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self.waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread_since = None
        super().resume_writing()


def network(host: str) -> str:
    """The address range that one customer of an internet provider has: an IPv4 address, or an IPv6 /64 network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))
    return host
