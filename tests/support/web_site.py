"""Fixtures for tests of the site with all processes of captionbot and a tiny random model.

`site` runs twice: embedded (`captionbot up`: SQLite, all in one) and distributed (web and worker over PostgreSQL and
Redis).
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.database import empty
from tests.support.processes import PATIENCE, SECRET_KEY, Installation, until
from tests.support.redis_server import RedisServer
from tests.support.web_client import Visitor


class Site:
    def __init__(self, url: str):
        self.url = url

    def person(self) -> Visitor:
        """A client with a new session."""
        return Visitor(self.url)


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    installation = Installation(folder, model_dir=tiny_model, max_photo_mb=2)
    with ExitStack() as stack:
        stack.callback(installation.clean)
        if request.param == "embedded":
            page = installation.start("up")
        else:
            shared = stack.enter_context(_servers(request, folder))
            installation.start("worker", **shared)
            page = installation.start("web", **shared)
        site = Site(page.url())
        with site.person() as person:
            until(lambda: person.get("/readyz").status_code == 200, PATIENCE)
        yield site
        assert "Traceback" not in page.log
        assert page.stop() == 0


@pytest.fixture
def ann(site: Site) -> Iterator[Visitor]:
    with site.person() as ann:
        yield ann


@pytest.fixture
def ben(site: Site) -> Iterator[Visitor]:
    with site.person() as ben:
        yield ben


@contextmanager
def _servers(request: pytest.FixtureRequest, folder: Path) -> Iterator[dict[str, str]]:
    """Start PostgreSQL and Redis. Yields the settings to use them."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed here")
    redis, database = RedisServer(folder), request.getfixturevalue("postgresql_url")
    yield {"database_url": database, "redis_url": redis.url, "secret_key": SECRET_KEY}
    redis.stop()
    empty(database)
