"""Runs the roles of captionbot as processes, which tests can watch, kill and restart.

Installation(folder, database_url, redis_url).start("worker")
"""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from settings import Settings
from tests.support.database import empty
from tests.support.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds, for a busy machine
SECRET_KEY = "a key for tests, which is long enough"


class Installation:
    """A data folder with settings, and the processes that use it."""

    def __init__(self, folder: Path, **settings: object):
        """settings: of all processes, by the names of the fields of Settings."""
        self.folder = folder
        self._settings = {"data_dir": folder, "web_port": 0, "rate_limit": "100000/minute", "queue_limit": 100_000}
        self._settings |= settings
        self.processes: list[Process] = []

    def settings(self) -> Settings:
        """The same settings, for use in the process of a test."""
        return Settings(_env_file=None, **self._settings)  # type: ignore[arg-type]

    def start(self, *command: str, **settings: object) -> "Process":
        """Start captionbot COMMAND, with additional settings."""
        process = Process(command, self._settings | settings, self.folder / f"log{len(self.processes)}")
        self.processes.append(process)
        return process

    def run(self, *command: str, **settings: object) -> "Process":
        """Run captionbot COMMAND until it exits."""
        process = self.start(*command, **settings)
        process.wait()
        return process

    def clean(self) -> None:
        for process in self.processes:
            process.kill()


class Process:
    def __init__(self, command: tuple[str, ...], settings: dict[str, Any], log: Path):
        inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
        given = {name.upper(): str(value) for name, value in settings.items()}
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "captionbot", *command],
                cwd=ROOT,
                env=inherited | given,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What the process has written to stdout and stderr so far."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def written_rows(self) -> list[int]:
        """The rows that this worker has captioned, by its log."""
        return [int(row) for row in re.findall(r"caption (\d+): model", self.log)]

    def is_running(self) -> bool:
        return self._process.poll() is None

    def has_exited(self) -> bool:
        """Whether it ended by itself, and was not killed."""
        return self._process.poll() is not None and self._process.returncode >= 0

    def wait_for_log(self, pattern: str, seconds: float = PATIENCE) -> str:
        """Wait until the log matches a pattern. Returns the first group, or the whole match if there is none."""
        found = None

        def look() -> bool:
            nonlocal found
            found = re.search(pattern, self.log)
            assert found or self.is_running(), f"the process exited:\n{self.log}"
            return found is not None

        until(look, seconds, lambda: f"the log has no {pattern!r}:\n{self.log}")
        assert found is not None
        return found[1] if found.re.groups else found[0]

    def url(self) -> str:
        """Wait until the page is served. Returns its URL."""
        return self.wait_for_log(r"The page is at (\S+)")

    def person(self) -> "Person":
        """A client with a new session."""
        return Person(self.url())

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait until the process exits. Returns its exit code."""
        return self._process.wait(seconds)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._process.kill()
        self._process.wait()


class Person(httpx.Client):
    """A client with a new session. Each photo that it sends is another one."""

    def __init__(self, url: str):
        super().__init__(base_url=url, timeout=PATIENCE)

    def send_photo(self) -> httpx.Response:
        buffer = io.BytesIO()
        Image.frombytes("RGB", (8, 6), os.urandom(8 * 6 * 3)).resize((64, 48)).save(buffer, "PNG")
        return self.post("/api/captions", files={"photo": ("photo.png", buffer.getvalue())})

    def submit_photos(self, photos: int = 1) -> list[str]:
        """Send photos. Returns the ids of their captions."""
        answers = [self.send_photo() for _ in range(photos)]
        assert {answer.status_code for answer in answers} == {202}, answers[-1].text
        return [answer.json()["id"] for answer in answers]

    def wait_until_finished(self, ids: list[str], seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """Wait until all of these captions are done or have failed, and return them."""
        found: dict[str, dict[str, Any]] = {}

        def look() -> bool:
            for id in ids:
                if id not in found:
                    caption = self.get(f"/api/captions/{id}").json()
                    if caption["status"] not in ("done", "failed"):
                        return False
                    found[id] = caption
            return True

        until(look, seconds, lambda: f"{len(found)} of {len(ids)} are finished")
        return [found[id] for id in ids]


def until(
    true: Callable[[], bool], seconds: float = PATIENCE, why: Callable[[], str] = lambda: "it did not happen"
) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, why()
        time.sleep(0.05)


@pytest.fixture(scope="session")
def bundled() -> Path:
    folder = ROOT / "models/bundled"
    if not folder.is_dir():
        pytest.skip("the bundled model is not in this checkout")
    return folder


@pytest.fixture
def embedded(tmp_path: Path, bundled: Path) -> Iterator[Installation]:
    """An installation in one process, with SQLite and a queue in memory."""
    installation = Installation(tmp_path)
    yield installation
    installation.clean()


@pytest.fixture
def distributed(
    tmp_path: Path, bundled: Path, postgresql_url: str, redis_server: RedisServer
) -> Iterator[Installation]:
    """An installation of separate processes, with PostgreSQL and Redis."""
    installation = Installation(
        tmp_path, database_url=postgresql_url, redis_url=redis_server.url, secret_key=SECRET_KEY, max_batch=4
    )
    yield installation
    installation.clean()
    empty(postgresql_url)
