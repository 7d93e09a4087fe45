"""A PostgreSQL of the test's own, in a process of its own: it can be stopped and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.engine import create_engine
from db.schema import migrate
from tests.support.redis_server import free_port

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian has its programs, the newest last
PATH = os.pathsep.join([*map(str, reversed(DEBIAN)), os.environ["PATH"]])
QUICK = "listen_addresses = '127.0.0.1'\nfsync = off\nshared_buffers = 16MB\nmax_connections = 60\n"


class PostgresqlServer:
    """url: of a migrated database."""

    def __init__(self, *make: object) -> None:
        """make: a command that makes the data folder whose path is added to it."""
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to be run by root
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self._data, self.port = self._folder / "data", free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/captionbot"
        self._run(*make, self._data)
        with (self._data / "postgresql.conf").open("a") as conf:  # of a line that is there twice the last one holds
            conf.write(f"{QUICK}port = {self.port}\nunix_socket_directories = '{self._folder}'\n")
        self.start()

    @classmethod
    def create(cls) -> "PostgresqlServer":
        """A server with a new database."""
        server = cls("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D")
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{server.port}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE captionbot")
        engine = create_engine(server.url)
        migrate(engine)
        engine.dispose()
        return server

    def copy(self) -> "PostgresqlServer":
        """Another server with the files of this one, which must have been shut down."""
        return PostgresqlServer("cp", "--archive", self._data)

    def make_standby(self) -> "PostgresqlServer":
        """A server that follows this one and can be read."""
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        return PostgresqlServer("pg_basebackup", "-d", source, "-R", "-c", "fast", "--no-sync", "-D")

    def demote(self) -> None:
        """Restart as a standby: it can be read, and refuses writes until it is promoted."""
        (self._data / "standby.signal").touch()
        self._control("restart", "-m", "fast", "-l", self._folder / "log")

    def promote(self) -> None:
        self._control("promote")

    def start(self) -> None:
        self._control("start", "-l", self._folder / "log")

    def shut_down(self) -> None:
        """In order: everything is in its files afterwards."""
        self._control("stop", "-m", "fast")

    def stop(self) -> None:
        """As a crash: nobody is told, and the next start recovers from the log."""
        self._control("stop", "-m", "immediate")

    def hang(self) -> None:
        """All of its processes stop where they are, and connections stay open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = (self._data / "postmaster.pid").read_text().split()[0]
        os.kill(int(postmaster), number)  # before its children, so that it starts no more
        children = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, text=True).stdout.split()
        for pid in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        subprocess.run(
            ["pg_ctl", "stop", "-D", self._data, "-m", "immediate"], **self._how(), stderr=subprocess.DEVNULL
        )
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, action: str, *options: object) -> None:
        self._run("pg_ctl", action, "-D", self._data, "-w", *options)

    def _run(self, *command: object) -> None:
        subprocess.run([str(word) for word in command], check=True, **self._how())

    def _how(self) -> dict:
        environment = os.environ | {"PATH": PATH}
        return {"user": self._user, "env": environment, "cwd": self._folder, "stdout": subprocess.DEVNULL}


@pytest.fixture(scope="session")
def postgresql_files() -> Iterator[PostgresqlServer]:
    """A server that has been shut down. To copy it is much faster than to make a new one for each test."""
    if not shutil.which("initdb", path=PATH):
        pytest.skip("initdb is not installed here")
    server = PostgresqlServer.create()
    server.shut_down()
    yield server
    server.remove()


@pytest.fixture
def postgresql_server(postgresql_files: PostgresqlServer) -> Iterator[PostgresqlServer]:
    server = postgresql_files.copy()
    yield server
    server.remove()
