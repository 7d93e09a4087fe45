"""The photo store is away, read-only or full: what waits goes on waiting, and what comes is refused with a sentence."""

import time

import pytest

from db.photo_store import PhotoStore
from db.store_state import StoreState
from db.tables import State
from tests.support.processes import until
from tests.support.worker_parts import all_done, queue_photos, rows_of
from worker.job_queue import create_app, create_notifier, send_many
from worker.worker import Worker

pytestmark = pytest.mark.database("sqlite")
AWAY = 2.0  # seconds


@pytest.fixture
def store(disk):
    """On that disk, instead of in a folder."""
    return PhotoStore(str(disk.folder))


def test_photos_that_wait_outlive_an_absence_of_the_store(disk, store, sessions, tiny_model, caplog):
    queue, notifier = create_app(None), create_notifier(None)
    worker = Worker(queue, sessions, store, notifier, model_dir=tiny_model, max_batch=4)
    worker.start()
    send_many(queue, queue_photos(sessions, store, 2))
    until(lambda: all_done(sessions))
    rows = queue_photos(sessions, store, 20)
    disk.take_away()
    send_many(queue, rows)
    until(lambda: "the photo store is away" in caplog.text)
    time.sleep(AWAY)
    assert {row.state for row in rows_of(sessions)[2:]} <= {State.QUEUED, State.RUNNING}
    assert worker.is_alive()
    disk.bring_back()
    until(lambda: all_done(sessions))
    assert {row.attempts for row in rows_of(sessions)} == {0}
    assert worker.stop()
    queue.outbox.close()
    assert caplog.text.count("the photo store is away") == 1


def readiness(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503  # no worker runs here anyway
    return answer.json()["photos"]


def assert_refused(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "right now" in answer.json()["detail"]


@pytest.fixture
def sent(client, worker, queued):
    """A photo that is described."""
    answer = client.send_photo()
    worker.caption(queued[-1])
    return client.finished_caption(answer)


def test_a_read_only_store_refuses_photos_and_shows_those_it_has(disk, client, sent):
    assert readiness(client) == "ok"
    disk.set_read_only(True)
    assert_refused(client.send_photo())
    assert readiness(client) == StoreState.READ_ONLY
    assert client.get(f"/api/captions/{sent['id']}/photo").status_code == 200
    assert client.delete(f"/api/captions/{sent['id']}").status_code == 204
    disk.set_read_only(False)
    assert client.send_photo().status_code == 202


def test_a_store_that_is_away_refuses_photos_and_writes_nothing_in_its_place(disk, client, sent):
    disk.take_away()
    assert_refused(client.send_photo())
    assert_refused(client.get(f"/api/captions/{sent['id']}/photo"))
    assert readiness(client) == StoreState.AWAY
    assert list(disk.folder.iterdir()) == []
    disk.bring_back()
    assert client.get(f"/api/captions/{sent['id']}/photo").status_code == 200
    assert client.send_photo().status_code == 202


def test_a_full_store_is_known_to_be_full(disk, client, sent):
    filler = disk.fill()
    assert_refused(client.send_photo())
    assert readiness(client) == StoreState.FULL
    filler.unlink()
    assert readiness(client) == "ok"
