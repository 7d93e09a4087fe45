"""Serves the web page: says where it is, or why it cannot be there."""

import socket

from fastapi import FastAPI

from bots.http import server
from model.errors import CaptionbotError


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CaptionbotError if the port is in use or the host is no address of this machine."""
    try:
        return server.listen(host, port)
    except OSError as error:
        raise CaptionbotError(
            f"The web page cannot listen on {host}:{port}: {error.strerror}. Change WEB_PORT or WEB_HOST."
        ) from None


async def serve(site: FastAPI, listening: socket.socket) -> None:
    """Serve until cancelled, then finish the open requests. Prints the URL of the page when it is ready."""
    await server.serve(site, listening, lambda: print(f"The page is at {_address(listening)}", flush=True))


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # all addresses of this machine, which include localhost
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
