"""The worker's pipeline when something fails: photos that are gone or broken, and engines that break."""

import threading
from datetime import timedelta
from pathlib import Path

import numpy as np

from db import captions
from db.captions import GAVE_UP
from db.tables import Caption, State, now
from model.captioner import Captioner
from tests.support.factories import make_caption, make_photo
from tests.support.pipeline_bench import LEASE, Bench
from tests.support.random_models import random_model
from tests.support.worker_parts import jpeg, queue_photos
from worker import photo_reader
from worker.photo_reader import MISSING, UNREADABLE


def test_a_photo_that_is_gone_fails_alone_with_a_sentence(bench, sessions, store):
    rows = queue_photos(sessions, store, 3)
    with sessions.begin() as session:
        gone = make_caption(session).id
    bench.handle(gone, *rows)
    assert (bench.row(gone).state, bench.row(gone).error) == (State.FAILED, MISSING)
    assert {bench.row(row).state for row in rows} == {State.DONE}
    assert sorted(bench.woken) == sorted([gone, *rows])


def test_a_photo_that_the_store_shows_late_is_captioned(bench, sessions, store):
    data = jpeg(1)
    with sessions.begin() as session:
        row = make_caption(session, photo=make_photo(session, None, data))
    timer = threading.Timer(0.3, store.save, (data, row.photo.sha256))
    timer.start()
    bench.handle(row.id)
    timer.join()
    assert bench.row(row.id).state is State.DONE


def test_a_broken_photo_fails_alone_with_a_sentence(bench, sessions, store):
    rows = queue_photos(sessions, store, 3)
    with sessions.begin() as session:
        broken = make_caption(session, photo=make_photo(session, store, b"\xff\xd8\xff cut short")).id
    bench.handle(broken, *rows)
    assert (bench.row(broken).state, bench.row(broken).error) == (State.FAILED, UNREADABLE)
    assert {bench.row(row).state for row in rows} == {State.DONE}


class CannotBear:
    """An engine that breaks on one photo, as long as it is told to."""

    def __init__(self, engine, photo: np.ndarray):
        self.engine, self.photo, self.batches = engine, photo, []
        self.step = engine.step

    def encode(self, photos):
        self.batches.append(len(photos))
        if any(np.array_equal(photo, self.photo) for photo in photos):
            raise RuntimeError("the engine broke")
        return self.engine.encode(photos)


def test_a_photo_that_breaks_the_engine_fails_alone_and_only_after_four_attempts(sessions, store):
    stored, _, _ = random_model()
    from model.openvino.engine import OpenVinoEngine
    from model.preprocessing import read_photo

    engine = CannotBear(OpenVinoEngine(stored), read_photo(jpeg(0), size=64))
    bench = Bench(sessions, store, Captioner(stored, engine))
    with sessions.begin() as session:
        bad = make_caption(session, photo=make_photo(session, store, jpeg(0))).id
    good = queue_photos(sessions, store, 3)
    bench.handle(bad, *good)
    assert {bench.row(row).state for row in good} == {State.DONE}
    assert bench.row(bad).state is State.RUNNING
    assert bench.heartbeat.held() == []  # so nobody renews its lease
    for attempt in (1, 2, 3):
        with sessions.begin() as session:
            assert captions.requeue_stale(session, now() + 2 * LEASE, timedelta(minutes=1)) == [bad]
        bench.handle(bad)
        assert bench.row(bad).attempts == attempt
    with sessions.begin() as session:
        assert captions.requeue_stale(session, now() + 2 * LEASE, timedelta(minutes=1)) == []
    assert (bench.row(bad).state, bench.row(bad).error) == (State.FAILED, GAVE_UP)
    bench.pipeline.close(90)


def test_a_photo_that_cannot_be_read_in_a_store_that_works_fails_after_some_tries(bench, store, monkeypatch):
    monkeypatch.setattr(photo_reader, "FILE_TRIES", 3)
    monkeypatch.setattr(photo_reader, "STORE_DELAY", 0.01)
    broken, whole = queue_photos(bench.sessions, store, 2)
    (path,) = Path(store.url).rglob(sha256_of(bench, broken))
    path.unlink()
    path.mkdir()  # reading fails, which is another error than "no such file"
    bench.handle(broken, whole)
    assert (bench.row(broken).state, bench.row(broken).error) == (State.FAILED, UNREADABLE)
    assert bench.row(whole).state is State.DONE
    path.rmdir()


def sha256_of(bench, row):
    with bench.sessions() as session:
        return session.get_one(Caption, row).photo.sha256
