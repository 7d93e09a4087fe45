"""A pgbouncer of the test's own in transaction mode: each transaction may run in another server process."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import until
from tests.support.redis_server import free_port

PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])  # where Debian has it
SERVER_PROCESSES = 2  # few, so that clients meet in them


class PgBouncer:
    """url: of a database behind the pooler."""

    def __init__(self, database_url: str):
        parts = psycopg.conninfo.conninfo_to_dict(database_url)
        user = "postgres" if os.geteuid() == 0 else None  # it refuses to be run by root
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer"))
        port, name = free_port(), parts["dbname"]
        configuration = self._folder / "pgbouncer.ini"
        configuration.write_text(
            f"[databases]\n{name} = {' '.join(f'{key}={value}' for key, value in parts.items())}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {SERVER_PROCESSES}\nlogfile = {self._folder}/log\n"
        )
        if user:
            shutil.chown(self._folder, user)
        command = [shutil.which("pgbouncer", path=PATH), "--quiet", str(configuration)]
        self._process = subprocess.Popen(command, user=user)
        self.url = f"postgresql://{parts['user']}@127.0.0.1:{port}/{name}"
        until(self._answers)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture
def pgbouncer(postgresql_url: str) -> Iterator[PgBouncer]:
    if not shutil.which("pgbouncer", path=PATH):
        pytest.skip("pgbouncer is not installed here")
    pooler = PgBouncer(postgresql_url)
    yield pooler
    pooler.stop()
