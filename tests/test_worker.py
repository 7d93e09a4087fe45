"""The worker as a whole: `captionbot worker` over Redis and PostgreSQL, and in a thread over the broker in memory."""

import os
import time

import pytest
from sqlalchemy import text, update

from db import captions, model_registry, workers
from db.captions import MAX_ATTEMPTS
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.photo_store import PhotoStore
from db.tables import Caption, State, now
from tests.support.database import empty
from tests.support.factories import make_model
from tests.support.processes import SECRET_KEY, Installation, until
from tests.support.worker_parts import all_done, queue_photos, rows_of, save_tiny, states
from worker.heartbeat import LEASE
from worker.job_queue import create_app, create_notifier, send_many
from worker.worker import Worker


class Deployment:
    """PostgreSQL, Redis, a photo store, and workers with a tiny model."""

    def __init__(self, settings):
        self.redis_url = settings["redis_url"]
        self.engine = create_engine(settings["database_url"])
        self.sessions, self.store = sessions_of(self.engine), PhotoStore(str(settings["photo_store"]))
        self.queue = create_app(self.redis_url, transport=settings["broker_transport"])
        self.installation = Installation(settings["data_dir"], **settings)

    def worker(self, **settings):
        return self.installation.start("worker", **settings)

    def accept(self, count):
        """Photos that are queued and sent."""
        rows = queue_photos(self.sessions, self.store, count)
        send_many(self.queue, rows)
        return rows

    def is_done(self):
        return all_done(self.sessions)

    def has_begun(self):
        return State.DONE in states(self.sessions)

    def state(self, row):
        with self.sessions() as session:
            return session.get_one(Caption, row).state

    def replace_by_pipe(self, row):
        """Put a named pipe in the place of a photo's file: reading it takes until somebody writes."""
        with self.sessions() as session:
            sha256 = session.get_one(Caption, row).photo.sha256
        (path,) = (self.installation.folder / "photos").rglob(sha256)
        path.unlink()
        os.mkfifo(path)
        return path

    def take_over(self):
        """Let the leases of dead workers be over, and send their captions again, without waiting until they are."""
        with self.sessions.begin() as session:
            session.execute(update(Caption).where(Caption.state == State.RUNNING).values(lease_until=now()))
            rows = captions.requeue_stale(session, now(), LEASE)
        send_many(self.queue, rows)

    def versions(self):
        """That each worker holds which is alive."""
        with self.sessions() as session:
            return [worker.versions for worker in workers.alive(session, LEASE)]

    def close(self):
        self.installation.clean()
        self.queue.outbox.close()
        self.engine.dispose()


@pytest.fixture
def deployment(postgresql_url, redis_server, transport, tmp_path, tiny_model):
    deployment = Deployment(
        {
            "database_url": postgresql_url,
            "redis_url": redis_server.url,
            "broker_transport": transport,
            "photo_store": tmp_path / "photos",
            "data_dir": tmp_path,
            "model_dir": tiny_model,
            "max_batch": 4,
            "secret_key": SECRET_KEY,
        }
    )
    yield deployment
    deployment.close()
    empty(postgresql_url)


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_worker_captions_all_that_waits_and_wakes_the_front_ends(deployment, engine):
    notifier, woken = create_notifier(deployment.redis_url), []
    notifier.subscribe("web", woken.append)
    rows = deployment.accept(20)
    deployment.worker(engine=engine)
    until(deployment.is_done)
    until(lambda: set(woken) == set(rows))
    notifier.close()
    assert deployment.versions() == [[rows_of(deployment.sessions)[0].model_version]]


def test_a_worker_told_to_end_finishes_what_it_holds_and_leaves_the_rest_queued(deployment):
    rows = deployment.accept(300)
    first = deployment.worker()
    until(deployment.has_begun)
    assert first.stop() == 0
    assert set(states(deployment.sessions)) <= {State.DONE, State.QUEUED}
    assert {row.attempts for row in rows_of(deployment.sessions)} == {0}
    assert deployment.versions() == []
    second = deployment.worker()
    until(deployment.is_done)
    assert sorted(first.written_rows + second.written_rows) == rows


def test_after_a_sigkill_in_mid_batch_work_resumes_within_a_minute_and_nothing_is_captioned_twice(deployment):
    rows = deployment.accept(300)
    first = deployment.worker()
    until(deployment.has_begun)
    first.kill()
    killed = time.monotonic()
    held = {row.id for row in rows_of(deployment.sessions) if row.state is State.RUNNING}
    assert held
    second = deployment.worker()
    until(lambda: attempts(deployment) == {row: int(row in held) for row in rows})
    assert time.monotonic() - killed < 60
    until(deployment.is_done)
    written = first.written_rows + second.written_rows
    assert len(set(written)) == len(written)


def test_a_photo_that_kills_every_worker_takes_no_other_with_it(deployment):
    """Whoever reads it is killed. The first time it has company; then it is tried alone until it fails."""
    rows = deployment.accept(12)
    deadly = rows[6]
    pipe = deployment.replace_by_pipe(deadly)
    killed_with = []
    while deployment.state(deadly) is not State.FAILED:
        worker = deployment.worker()
        until(lambda: is_read(pipe))
        worker.kill()
        killed_with.append({row.id for row in rows_of(deployment.sessions) if row.state is State.RUNNING})
        deployment.take_over()
    assert len(killed_with) == MAX_ATTEMPTS
    assert killed_with[1:] == [{deadly}] * (MAX_ATTEMPTS - 1)
    deployment.worker()
    until(lambda: states(deployment.sessions) == {State.DONE: 11, State.FAILED: 1})
    innocent = killed_with[0] - {deadly}
    assert attempts(deployment) == {row: MAX_ATTEMPTS if row == deadly else int(row in innocent) for row in rows}


def is_read(pipe) -> bool:
    """Whether somebody waits for what comes out of a named pipe."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # "no such device": nobody reads
        return False
    return True


def attempts(deployment) -> dict[int, int]:
    """Leases that have expired, by row."""
    return {row.id: row.attempts for row in rows_of(deployment.sessions)}


def test_a_message_that_comes_twice_is_captioned_once(deployment):
    rows = deployment.accept(20)
    send_many(deployment.queue, rows)
    worker = deployment.worker()
    until(deployment.is_done)
    send_many(deployment.queue, rows)
    (last,) = deployment.accept(1)
    until(deployment.is_done)
    assert worker.stop() == 0
    assert sorted(worker.written_rows) == [*rows, last]


def test_a_worker_works_on_after_the_database_closed_its_connections(deployment):
    deployment.accept(300)
    worker = deployment.worker()
    until(deployment.has_begun)
    with deployment.engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    until(deployment.is_done)
    assert worker.is_running()


def test_the_model_may_change_while_500_photos_are_captioned(deployment, tmp_path):
    second = save_tiny(tmp_path / "second", "the second")
    with deployment.sessions.begin() as session:
        make_model(session, "second", folder=str(second))
    worker = deployment.worker()
    worker.wait_for_log("the worker is ready")
    deployment.accept(250)
    until(deployment.has_begun)
    with deployment.sessions.begin() as session:
        model_registry.promote(session, "second", "a test")
    worker.wait_for_log("model second serves")
    rows = deployment.accept(250)
    until(lambda: states(deployment.sessions) == {State.DONE: 500})
    until(lambda: deployment.versions() == [["second"]])
    made_by = {row.id: row.model_version for row in rows_of(deployment.sessions)}
    assert len(set(made_by.values())) == 2
    assert {made_by[row] for row in rows} == {"second"}
    assert sorted(worker.written_rows) == sorted(made_by)


def test_a_worker_in_a_thread_takes_its_jobs_from_memory(sessions, store, tiny_model, transport):
    app, notifier, woken = create_app(None, "embedded", transport), create_notifier(None), []
    notifier.subscribe("web", woken.append)
    worker = Worker(app, sessions, store, notifier, model_dir=tiny_model, max_batch=4)
    worker.start()
    rows = queue_photos(sessions, store, 20)
    send_many(app, rows)
    until(lambda: len(woken) == 20)
    assert worker.is_alive()
    assert worker.stop()
    assert all_done(sessions)
    assert not worker.is_alive()


def test_a_second_worker_in_the_same_process_takes_over_from_one_that_stopped(sessions, store, tiny_model, transport):
    for _ in range(2):
        app = create_app(None, "embedded", transport)
        worker = Worker(app, sessions, store, create_notifier(None), model_dir=tiny_model, max_batch=4)
        worker.start()
        send_many(app, queue_photos(sessions, store, 5))
        until(lambda: all_done(sessions))
        assert worker.stop()
    assert len(rows_of(sessions)) == 10
