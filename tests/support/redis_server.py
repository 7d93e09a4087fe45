"""A Redis of the test's own, in a process of its own: it can be stopped, wiped and started again."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from worker.job_queue import JobQueue, create_app

PATIENCE = 90.0  # seconds, on a busy machine


class RedisServer:
    def __init__(self, folder: Path, *options: str):
        """options: more of redis-server's, such as "--unixsocket", "/run/redis.sock"."""
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        self._options = options
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen([*command, *self._options], stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise RuntimeError("redis-server does not answer")

    def stop(self) -> None:
        """As a crash: nothing is saved."""
        self.process.kill()
        self.process.wait()

    def wipe(self) -> None:
        self.client.flushall()


class Sentinel:
    """A redis-sentinel that watches one server, under the name "captions"."""

    def __init__(self, folder: Path, server: RedisServer):
        self.port = free_port()
        self.url = f"sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.port}/captions"  # nobody is at the first
        configuration = folder / "sentinel.conf"  # Sentinel writes into it
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor captions 127.0.0.1 {server.port} 1\n"
        )
        command = ["redis-server", str(configuration), "--sentinel"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.Redis(port=self.port, retry=Retry(ConstantBackoff(0.05), int(PATIENCE / 0.05))) as client:
            client.ping()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


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


@pytest.fixture(params=["auto", "kombu"])
def transport(request: pytest.FixtureRequest) -> str:
    """A setting of BROKER_TRANSPORT: tests that use it run with our transport and with Kombu's own."""
    return str(request.param)


@pytest.fixture
def job_queue(redis_server: RedisServer, transport: str) -> Iterator[JobQueue]:
    """A queue in it."""
    app = create_app(redis_server.url, "test", transport)
    yield app
    app.outbox.close()
    app.close()
