"""captionbot as people run it: roles as processes of their own, to be watched, killed and started again.

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
from database import empty
from PIL import Image
from redis_server import RedisServer

from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 180.0  # seconds, on a machine with other work
SECRET_KEY = "a key for tests, which is long enough"


class Installation:
    """A data folder with settings, and the processes that use it."""

    def __init__(self, folder: Path, **settings: object):
        """settings: of all processes, by the names of Settings' fields."""
        self.folder = folder
        self._settings = {"data_dir": folder, "web_port": 0, "rate_limit": "100000/minute", "queue_limit": 100_000}
        self._settings |= settings
        self._processes: list[Process] = []

    def settings(self) -> Settings:
        """The same settings for what a test does in its own process."""
        return Settings(_env_file=None, **self._settings)  # type: ignore[arg-type]

    def start(self, *command: str, **settings: object) -> "Process":
        """captionbot COMMAND, with more settings."""
        process = Process(command, self._settings | settings, self.folder / f"log{len(self._processes)}")
        self._processes.append(process)
        return process

    def run(self, *command: str, **settings: object) -> "Process":
        """The same until it ends by itself."""
        process = self.start(*command, **settings)
        process.wait()
        return process

    def clean(self) -> None:
        for process in self._processes:
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
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    @property
    def log(self) -> str:
        """What it has written so far, to both outputs."""
        return self._log.read_text()

    @property
    def written(self) -> list[int]:
        """Rows whose sentence this worker wrote."""
        return [int(row) for row in re.findall(r"caption (\d+): model", self.log)]

    def runs(self) -> bool:
        return self._process.poll() is None

    def says(self, pattern: str, seconds: float = PATIENCE) -> str:
        """Wait until it has written this. Returns the first group, or all that matched."""
        found = None

        def look() -> bool:
            nonlocal found
            found = re.search(pattern, self.log)
            assert found or self.runs(), f"it ended:\n{self.log}"
            return found is not None

        until(look, seconds, lambda: f"it did not say {pattern!r}:\n{self.log}")
        assert found is not None
        return found[1] if found.re.groups else found[0]

    def url(self) -> str:
        """Of the page, once it is served."""
        return self.says(r"The page is at (\S+)")

    def person(self) -> "Person":
        """Somebody new at the page."""
        return Person(self.url())

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code."""
        return self._process.wait(seconds)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL: it cannot tidy up."""
        self._process.kill()
        self._process.wait()


class Person(httpx.Client):
    """Somebody new at a page, who keeps the cookie. No photo is sent twice."""

    def __init__(self, url: str):
        super().__init__(base_url=url, timeout=PATIENCE)

    def send_photo(self) -> httpx.Response:
        buffer = io.BytesIO()
        Image.frombytes("RGB", (8, 6), os.urandom(8 * 6 * 3)).resize((64, 48)).save(buffer, "PNG")
        return self.post("/api/captions", files={"photo": ("photo.png", buffer.getvalue())})

    def accepted(self, photos: int = 1) -> list[str]:
        """Send so many, and get the ids of their captions."""
        answers = [self.send_photo() for _ in range(photos)]
        assert {answer.status_code for answer in answers} == {202}, answers[-1].text
        return [answer.json()["id"] for answer in answers]

    def finished(self, ids: list[str], seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """These captions, once all of them are done or have failed."""
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


@pytest.fixture
def bundled() -> Path:
    folder = ROOT / "models/bundled"
    if not folder.is_dir():
        pytest.skip("the bundled model is not in this checkout")
    return folder


@pytest.fixture
def embedded(tmp_path: Path, bundled: Path) -> Iterator[Installation]:
    """All in one process: SQLite, a queue in memory."""
    installation = Installation(tmp_path)
    yield installation
    installation.clean()


@pytest.fixture
def distributed(
    tmp_path: Path, bundled: Path, postgresql_url: str, redis_server: RedisServer
) -> Iterator[Installation]:
    """PostgreSQL and Redis, for roles in processes of their own."""
    installation = Installation(
        tmp_path, database_url=postgresql_url, redis_url=redis_server.url, secret_key=SECRET_KEY, max_batch=4
    )
    yield installation
    installation.clean()
    empty(postgresql_url)
