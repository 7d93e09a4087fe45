"""A whole captionbot with servers of its own: what the faults of a chaos run break and mend again."""

import random
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.failover import Pair
from tests.support.mounted_store import Disk
from tests.support.postgresql_server import PostgresqlServer
from tests.support.processes import ROOT, SECRET_KEY, Installation, Process
from tests.support.redis_server import RedisServer, free_port

STORE_SIZE = "64m"


class Stage:
    """PostgreSQL with a standby, Redis, a photo store on a disk of its own, two workers and a page.

    Attributes:
        disk: of the photo store; None where nothing may be mounted.
        database: the PostgreSQL that takes writes.
        rotten: photos whose files were damaged, by SHA-256.
    """

    def __init__(self, **settings: object):
        self.folder = Path(tempfile.mkdtemp(prefix="chaos"))
        self.photos = self.folder / "photos"
        try:
            self.disk: Disk | None = Disk(self.photos, STORE_SIZE)
        except pytest.skip.Exception:
            self.disk = None
        self.pair = Pair(PostgresqlServer.create())
        self.database = self.pair.primary
        self.redis = RedisServer(self.folder)
        self.rotten: set[str] = set()
        self.installation = Installation(
            self.folder,
            database_url=self.pair.url,
            redis_url=self.redis.url,
            photo_store=self.photos,
            secret_key=SECRET_KEY,
            model_dir=ROOT / "models/bundled",
            web_port=free_port(),
            **settings,
        )
        self.page = self.start_page()
        self.workers = [self.start_worker(), self.start_worker()]
        self.url = self.page.url()
        for worker in self.workers:
            worker.wait_for_log("the worker is ready")

    def start_page(self, **settings: object) -> Process:
        return self.installation.start("web", **settings)

    def start_worker(self, **settings: object) -> Process:
        return self.installation.start("worker", max_batch=8, **settings)

    def restart_page(self, **settings: object) -> None:
        self.page.kill()
        self.page = self.start_page(**settings)

    def restart_worker(self, number: int, **settings: object) -> None:
        self.workers[number].kill()
        self.workers[number] = self.start_worker(**settings)

    def fail_over(self) -> None:
        self.pair.fail()

    def promote(self) -> None:
        self.pair.promote()
        self.database = self.pair.standby

    def rot(self, chance: random.Random, share: float = 0.2) -> None:
        """Change a byte in some of the photos' files."""
        for path in sorted(self.photos.glob("??/*")):
            if chance.random() < share and re.fullmatch("[0-9a-f]{64}", path.name):
                data = bytearray(path.read_bytes())
                data[len(data) // 2] ^= 0xFF
                path.write_bytes(data)
                self.rotten.add(path.name)

    def restart_exited(self) -> None:
        """Start what ended by itself again, as docker-compose.yml does: a process exits if no database is there at
        its start. What a fault killed waits until it is mended.
        """
        if self.page.has_exited():
            self.page = self.start_page()
        for number, worker in enumerate(self.workers):
            if worker.has_exited():
                self.workers[number] = self.start_worker()

    def lines(self) -> int:
        """Lines of all logs so far that tell of trouble: warnings, errors and tracebacks."""
        logs = [process.log for process in self.installation.processes]
        return sum(not line.startswith(("INFO:", "The page is at")) for log in logs for line in log.splitlines())

    def captioned(self) -> list[int]:
        """The rows that workers have captioned, by their logs."""
        return [row for process in self.installation.processes for row in process.written_rows]

    def remove(self) -> None:
        self.installation.clean()
        self.redis.client.close()
        self.redis.stop()
        self.pair.standby.remove()
        self.pair.primary.remove()
        if self.disk:
            self.disk.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
