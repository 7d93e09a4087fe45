"""An HTTP proxy for tests. It passes all on to one server, whatever the host is called, and notes the requests.

async with HttpProxy(server.url, user="me", password="secret") as proxy:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
"""

import asyncio
import base64
import contextlib
from typing import Self
from urllib.parse import urlsplit

HEAD = 65536  # bytes


class HttpProxy:
    """requests: the first lines of all requests that begin a connection, such as "GET http://HOST/PATH HTTP/1.1"."""

    def __init__(self, target: str, user: str = "", password: str = ""):
        address = urlsplit(target)
        self._target = address.hostname, address.port
        self._credentials = f"{user}:{password}" if user else ""
        self.requests: list[str] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self._credentials}{'@' if self._credentials else ''}{self.address}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode("latin-1").splitlines()[0])
            if self._credentials and self._expected() not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return writer.close()
            inner, outer = await asyncio.open_connection(*self._target)
            if head.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                outer.write(head)
            await asyncio.gather(_copy(reader, outer), _copy(inner, writer))

    def _expected(self) -> bytes:
        return b"Proxy-Authorization: Basic " + base64.b64encode(self._credentials.encode())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(HEAD):
            writer.write(data)
            await writer.drain()
    writer.close()
