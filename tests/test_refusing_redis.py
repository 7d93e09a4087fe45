"""A Redis that answers but refuses: a replica, or one whose snapshot failed. A worker waits for it, at any age."""

import logging
import time
from collections.abc import Callable

import pytest

from bots.web.health import broker_check
from tests.support.processes import until
from tests.support.redis_server import RedisServer
from tests.support.worker_parts import all_done, queue_photos, rows_of
from worker.job_queue import create_app, create_notifier, send_many
from worker.worker import Worker

pytestmark = pytest.mark.database("sqlite")
REFUSING = 2.5  # seconds


@pytest.fixture
def primary(tmp_path):
    """Another server, of which the worker's becomes a replica."""
    folder = tmp_path / "primary"
    folder.mkdir()
    server = RedisServer(folder)
    yield server
    server.client.close()
    server.stop()


@pytest.fixture(params=["replica", "snapshot"])
def refuse(request, redis_server, primary) -> Callable[[], Callable[[], None]]:
    """Let Redis refuse writes. Returns a function that lets it take them again."""
    client, obstacle = redis_server.client, redis_server.folder / "dump.rdb"

    def become_replica():
        client.replicaof("127.0.0.1", primary.port)
        return lambda: client.replicaof("NO", "ONE")

    def fail_snapshot():
        obstacle.mkdir()
        client.config_set("save", "3600 1")
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        return mend_snapshot

    def mend_snapshot():
        obstacle.rmdir()
        client.config_set("save", "")

    return {"replica": become_replica, "snapshot": fail_snapshot}[request.param]


def test_a_worker_waits_for_a_redis_that_refuses_writes(
    redis_server, refuse, transport, sessions, store, tiny_model, caplog
):
    queue = create_app(redis_server.url, "test", transport)
    check = broker_check(create_app(redis_server.url, "test", transport))
    notifier = create_notifier(redis_server.url, "test")
    worker = Worker(
        create_app(redis_server.url, "test", transport), sessions, store, notifier, model_dir=tiny_model, max_batch=4
    )
    worker.start()
    send_many(queue, queue_photos(sessions, store, 3))
    until(lambda: all_done(sessions))
    check()
    accept_again = refuse()
    send_many(queue, queue_photos(sessions, store, 5))
    end = time.monotonic() + REFUSING
    while time.monotonic() < end:
        assert worker.is_alive()
        time.sleep(0.1)
    with pytest.raises(Exception, match=r"read only|MISCONF"):
        check()
    accept_again()
    until(lambda: all_done(sessions))
    check()
    assert len(rows_of(sessions)) == 8
    assert worker.stop()
    queue.outbox.close()
    notifier.close()
    tracebacks = [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
    assert not tracebacks, caplog.text
