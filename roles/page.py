"""Serves the web page in an event loop that has other things to do too."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from model.errors import CaptionbotError

FINISH = 5  # seconds that open connections have when the page stops


def listen(host: str, port: int) -> socket.socket:
    """A socket on which the page can be served. Raises CaptionbotError: the port is taken, or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CaptionbotError(
            f"The web page cannot listen on {host}:{port}: {error.strerror}. Change WEB_PORT or WEB_HOST."
        ) from None


async def serve(site: FastAPI, listening: socket.socket) -> None:
    """Serve until cancelled; then what is being answered is finished. Says where the page is."""
    server = _Server(
        uvicorn.Config(
            site,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=FINISH,
        )
    )
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.handle_exit(signal.SIGTERM, None)
        await serving
        raise


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            print(f"The page is at {_address(listening)}", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the supervisor's."""
        yield


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # on all of this machine's addresses, of which this one always works
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
