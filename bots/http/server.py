"""Serves an ASGI application with Uvicorn, in the event loop that it shares with the other components of a process."""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bots.http.connections import Connection, Connections

SHUTDOWN_TIMEOUT = 5  # seconds that open connections have to finish
MOST_CONNECTIONS = 2000
# Open files that there may be for each connection: the connection, a large upload, and one that was accepted together
# with it and must be closed. The fourth is for all else: the database, Redis, photos, connections of chat platforms.
FILES_EACH = 4


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError if the port is in use or the host is no address of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


async def serve(app: Any, listening: socket.socket, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until cancelled, then finish the open requests. on_ready: is called when requests are answered."""
    server = HttpServer(app, on_ready)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.handle_exit(signal.SIGTERM, None)
        await serving
        raise


class HttpServer(uvicorn.Server):
    """A server whose connections are limited in number and time."""

    def __init__(self, app: Any, on_ready: Callable[[], None] = lambda: None):
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(MOST_CONNECTIONS, files // FILES_EACH)
        config = uvicorn.Config(
            app,
            backlog=most,  # also the number that is accepted at once, before any of them can be closed
            workers=1,  # otherwise the variable WEB_CONCURRENCY, which is for processes that uvicorn starts
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
        super().__init__(config)
        proxies = ProxyHeadersMiddleware(app, config.forwarded_allow_ips).trusted_hosts
        self._connections = Connections(most, proxies=proxies)  # type: ignore[arg-type]  # of texts alone
        config.http = partial(Connection, connections=self._connections)  # type: ignore[assignment]
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            self._connections.end_overdue(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers to the supervisor."""
        yield
