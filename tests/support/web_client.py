"""Fixtures for quick tests of the site: on a real socket and SQLite, with a worker that captions when a test calls it.

Test files that use them are marked `database("sqlite")`: the site is not tested on PostgreSQL again.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sse_starlette.sse import AppStatus

from bots.http.server import HttpServer, listen
from bots.service.service import CaptionService
from bots.web.app import create_site
from settings import Settings
from tests.support.processes import Person, until
from tests.support.service_parts import picture


def new_photo() -> bytes:
    """A photo that nobody has sent before, so it is not captioned yet."""
    return picture(secrets.randbelow(2**32))


class Served:
    """A context in which an application is served on a real socket, by a thread."""

    def __init__(self, app: FastAPI):
        self._server = HttpServer(app)
        self._server.config.timeout_graceful_shutdown = 1
        self._socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "Served":
        AppStatus.should_exit = False  # else no stream of events outlives a signal to a server of an earlier test
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


class Visitor(Person):
    """A client with a new session."""

    def send_photo(self, data: bytes | None = None, **options: Any) -> httpx.Response:
        photo = new_photo() if data is None else data
        return self.post("/api/captions", files={"photo": ("photo.jpg", photo)}, **options)

    def finished_caption(self, answer: httpx.Response) -> dict[str, Any]:
        """Wait until the caption of this response is done, and return it."""
        assert answer.status_code in (200, 202), answer.text
        (caption,) = self.wait_until_finished([answer.json()["id"]])
        assert caption["status"] == "done"
        return caption


@pytest.fixture
def web_settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, database_url=database_url)


@pytest.fixture
def new_client(service: CaptionService, web_settings: Settings) -> Iterator[Callable[..., Visitor]]:
    """new_client(service, rate_limit="1/hour"): a new client of a site with these settings."""
    with ExitStack() as stack:

        def make(service: CaptionService = service, **changes: Any) -> Visitor:
            served = stack.enter_context(Served(create_site(service, web_settings.model_copy(update=changes))))
            return stack.enter_context(Visitor(served.url))

        yield make


@pytest.fixture
def client(new_client: Callable[..., Visitor]) -> Visitor:
    return new_client()
