"""The site on a real socket, on SQLite, with a hand that plays the worker: fixtures for quick tests.

from web_client import *  # noqa: F403   brings those of service_parts.py too
"""

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from processes import Person, until
from service_parts import *  # noqa: F403
from service_parts import picture

from bots.service import CaptionService
from bots.web_page import create_site
from settings import Settings


def new_photo() -> bytes:
    """One that nobody has sent before: its sentence is not known yet."""
    return picture(secrets.randbelow(2**32))


class Served:
    """An application on a real socket, from a thread, while it is used as a context."""

    def __init__(self, app: FastAPI):
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


class Visitor(Person):
    """Somebody new at the page, who sends what a test wants them to."""

    def send_photo(self, data: bytes | None = None, **options: Any) -> httpx.Response:
        photo = new_photo() if data is None else data
        return self.post("/api/captions", files={"photo": ("photo.jpg", photo)}, **options)

    def done(self, answer: httpx.Response) -> dict[str, Any]:
        """The caption that this answer is about, once it is done."""
        assert answer.status_code in (200, 202), answer.text
        (caption,) = self.finished([answer.json()["id"]])
        assert caption["status"] == "done"
        return caption


@pytest.fixture
def database_url(tmp_path: Path, sqlite_file: Path) -> str:
    (tmp_path / "captionbot.db").write_bytes(sqlite_file.read_bytes())
    return f"sqlite:///{tmp_path}/captionbot.db"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def new_client(service: CaptionService, settings: Settings) -> Iterator[Callable[..., Visitor]]:
    """new_client(service, rate_limit="1/hour"): somebody new at a site with other settings."""
    with ExitStack() as stack:

        def make(service: CaptionService = service, **changes: Any) -> Visitor:
            served = stack.enter_context(Served(create_site(service, settings.model_copy(update=changes))))
            return stack.enter_context(Visitor(served.url))

        yield make


@pytest.fixture
def client(new_client: Callable[..., Visitor]) -> Visitor:
    return new_client()
