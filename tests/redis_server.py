"""A Redis of the test's own, in a process of its own: it can be stopped, wiped and started again."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from worker.app import JobQueue, create_app


class RedisServer:
    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("redis-server does not answer")

    def stop(self) -> None:
        """As a crash: nothing is saved."""
        self.process.kill()
        self.process.wait()

    def wipe(self) -> None:
        self.client.flushall()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed here")
    server = RedisServer(tmp_path)
    yield server
    server.client.close()
    server.stop()


@pytest.fixture(name="app")
def job_queue(redis_server: RedisServer) -> Iterator[JobQueue]:
    """A queue in it."""
    app = create_app(redis_server.url, "test")
    yield app
    app.outbox.close()
    app.close()
