"""Two PostgreSQL servers of the test's own: a primary, and a standby that has each commit before it is confirmed."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.postgresql_server import PostgresqlServer
from tests.support.processes import until


class Pair:
    """url: of a database on whichever of the two takes writes."""

    def __init__(self, primary: PostgresqlServer):
        self.primary, self.standby = primary, primary.make_standby()
        with psycopg.connect(primary.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [("sync",)])
        hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (primary, self.standby))
        self.url = f"postgresql://postgres@/captionbot?{hosts}&target_session_attrs=read-write"

    def fail(self) -> None:
        """The primary crashes. Its standby can still be read."""
        self.primary.stop()

    def promote(self) -> None:
        with psycopg.connect(self.standby.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.standby.promote()


@pytest.fixture
def pair(postgresql_server: PostgresqlServer) -> Iterator[Pair]:
    pair = Pair(postgresql_server)
    yield pair
    pair.standby.remove()
