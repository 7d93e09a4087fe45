"""The worker's pipeline: from a queued row to its caption, with all that can go wrong between."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from db import captions
from db.caption_options import CaptionOptions
from db.captions import GAVE_UP, NONE_LEFT
from db.model_registry import ServedModel, Serving, uses_canary
from db.tables import Caption, State, now
from model.captioner import Captioner
from tests.support.factories import make_caption, make_photo
from tests.support.processes import until
from tests.support.random_models import random_model
from tests.support.worker_parts import jpeg, queue_photos, rows_of
from worker import pipeline
from worker.heartbeat import Heartbeat
from worker.inference import attention_maps
from worker.job_queue import create_notifier
from worker.model_loader import CurrentModel, load_warm
from worker.pipeline import MISSING, UNREADABLE, CaptionPipeline

LEASE = timedelta(seconds=20)


@pytest.fixture(scope="session")
def captioner(tiny_model) -> Captioner:
    return load_warm(tiny_model, "openvino", device="auto", max_batch=4, beams=3)


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


class Bench:
    """A worker's insides without a queue: rows are handed to it."""

    def __init__(self, sessions, store, captioner, serving=None, **limits):
        self.sessions = sessions
        self.notifier, self.woken = create_notifier(None), []
        self.notifier.subscribe("web", self.woken.append)
        models = CurrentModel(lambda folder: captioner, lambda: serving or Serving(), None)
        models.start()
        models.stop()
        longest = limits.get("time_limit", 60)
        self.heartbeat = Heartbeat(sessions, "here", "openvino", lambda: models.versions, LEASE, longest)
        limits |= {"max_batch": 4, "beams": 3}
        self.pipeline = CaptionPipeline(sessions, store, models, self.heartbeat, self.notifier, **limits)

    def handle(self, *rows: int) -> None:
        """All at once; returns when each message and each of these rows is done with."""
        done = [threading.Event() for _ in rows]
        for row, event in zip(rows, done, strict=True):
            self.pipeline.handle(row, event.set)
        assert all(event.wait(60) for event in done)
        until(lambda: not self.heartbeat.held() and not any(self.is_queued(row) for row in rows))

    def is_queued(self, row: int) -> bool:
        with self.sessions() as session:
            found = session.get(Caption, row)
            return found is not None and found.state is State.QUEUED

    def row(self, id: int) -> Caption:
        with self.sessions() as session:
            return session.get_one(Caption, id)


@pytest.fixture
def bench(sessions, store, captioner):
    bench = Bench(sessions, store, captioner)
    yield bench
    bench.pipeline.close(10)


def test_a_photo_gets_its_sentence_and_all_that_is_known_of_it(bench, store):
    [row] = queue_photos(bench.sessions, store, 1)
    bench.handle(row)
    done = bench.row(row)
    assert (done.state, done.error, done.attempts, done.worker) == (State.DONE, None, 0, "here")
    assert done.text == f"{' '.join(done.words).capitalize()}."
    assert len(done.alternatives) == 2
    assert 0 <= done.confidence <= 1
    assert (done.batch_size, done.model_version) == (1, bench.pipeline._model.versions[0])
    assert done.milliseconds > 0
    assert done.finished_at >= done.started_at
    assert done.attention["rows"] == done.attention["columns"] == 2
    assert [len(grid) for grid in done.attention["maps"]] == [4] * len(done.words)
    assert all(max(grid) == 255 and min(grid) >= 0 for grid in done.attention["maps"])


def test_photos_that_come_together_are_all_captioned_and_their_front_end_is_woken(bench, store):
    rows = queue_photos(bench.sessions, store, 20)
    bench.handle(*rows)
    assert {row.state for row in rows_of(bench.sessions)} == {State.DONE}
    assert max(row.batch_size for row in rows_of(bench.sessions)) <= 4
    assert sorted(bench.woken) == rows


def test_the_same_photo_gets_the_same_sentence_in_any_batch(bench, sessions, store, captioner):
    data = jpeg(3)
    with sessions.begin() as session:
        photo = make_photo(session, store, data)
        alone, together = (make_caption(session, photo=photo).id for _ in range(2))
    others = queue_photos(sessions, store, 3)
    bench.handle(alone)
    bench.handle(together, *others)
    assert bench.row(alone).words == bench.row(together).words


def test_a_message_that_comes_twice_makes_one_caption(bench, store):
    [row] = queue_photos(bench.sessions, store, 1)
    bench.handle(row, row)
    first = bench.row(row).finished_at
    bench.handle(row)
    assert bench.row(row).finished_at == first
    assert bench.woken == [row]


def test_a_message_without_a_row_is_harmless(bench):
    bench.handle(12345)
    assert bench.woken == []


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


def test_a_photo_that_breaks_the_engine_fails_alone_and_only_after_three_attempts(sessions, store):
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
    for attempt in (1, 2):
        with sessions.begin() as session:
            assert captions.requeue_stale(session, now() + 2 * LEASE, timedelta(minutes=1)) == [bad]
        bench.handle(bad)
        assert bench.row(bad).attempts == attempt
    with sessions.begin() as session:
        assert captions.requeue_stale(session, now() + 2 * LEASE, timedelta(minutes=1)) == []
    assert (bench.row(bad).state, bench.row(bad).error) == (State.FAILED, GAVE_UP)
    bench.pipeline.close(10)


def test_another_one_is_a_sentence_that_was_not_shown_yet(bench, sessions, store):
    [parent] = queue_photos(sessions, store, 1)
    bench.handle(parent)
    for rank in (1, 2, 3, 4):
        with sessions.begin() as session:
            photo = session.get_one(Caption, parent).photo
            parent = make_caption(session, "web:someone", photo=photo, parent_id=parent, rank=rank).id
        bench.handle(parent)
    said = [tuple(row.words) for row in rows_of(sessions)]
    assert len(set(said)) == 5


def test_another_one_that_would_repeat_a_sentence_says_that_there_is_none_left(bench, sessions, store, monkeypatch):
    [first] = queue_photos(sessions, store, 1, options=CaptionOptions(beams=1))
    bench.handle(first)
    monkeypatch.setattr("worker.pipeline.MAX_BEAMS", 1)  # the search finds the first sentence alone
    with sessions.begin() as session:
        row = session.get_one(Caption, first)
        again = make_caption(session, photo=row.photo, parent_id=first, rank=1, options=row.options).id
    bench.handle(again)
    assert (bench.row(again).state, bench.row(again).error) == (State.FAILED, NONE_LEFT)


@pytest.mark.parametrize(("length", "most"), [("short", 8), ("long", 20)])
def test_a_sentence_is_as_long_as_was_asked(bench, store, length, most):
    rows = queue_photos(bench.sessions, store, 3, options=CaptionOptions(length=length))
    bench.handle(*rows)
    assert {row.state for row in rows_of(bench.sessions)} == {State.DONE}
    assert all(len(row.words) <= most for row in rows_of(bench.sessions))


def test_jobs_of_different_kinds_do_not_share_a_batch(bench, sessions, store):
    rows = queue_photos(sessions, store, 4, options=CaptionOptions(beams=1)) + queue_photos(
        sessions, store, 4, options=CaptionOptions()
    )
    bench.handle(*rows)
    assert {row.state for row in rows_of(sessions)} == {State.DONE}
    assert {len(row.alternatives) for row in rows_of(sessions) if row.options.beams} == {0}
    assert {len(row.alternatives) for row in rows_of(sessions) if not row.options.beams} == {2}


def test_a_canary_captions_for_its_share_of_the_chats(sessions, store, captioner):
    serving = Serving(ServedModel("v1", "one"), ServedModel("v2", "two"), 50)
    bench = Bench(sessions, store, captioner, serving)
    chats = [f"telegram:{number}" for number in range(12)]
    rows = [queue_photos(sessions, store, 1, chat=chat)[0] for chat in chats]
    bench.handle(*rows)
    for row, chat in zip(rows, chats, strict=True):
        assert bench.row(row).model_version == ("v2" if uses_canary(chat, 50) else "v1")
    bench.pipeline.close(10)


class Held:
    """An engine that waits until it may go on."""

    def __init__(self, engine):
        self.engine, self.step = engine, engine.step
        self.started, self.go = threading.Event(), threading.Event()

    def encode(self, photos):
        self.started.set()
        self.go.wait(20)
        return self.engine.encode(photos)


def test_a_hanging_engine_is_noticed_and_its_rows_are_let_go(sessions, store, captioner):
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine), time_limit=0.1)
    [row] = queue_photos(sessions, store, 1)
    bench.pipeline.handle(row)
    assert engine.started.wait(20)
    time.sleep(0.15)
    assert bench.pipeline.is_stuck()
    assert (bench.heartbeat.held(), bench.row(row).state) == ([], State.RUNNING)  # its lease will expire
    assert not bench.pipeline.close(0.1)
    engine.go.set()
    assert bench.pipeline.close(10)
    assert not bench.pipeline.is_stuck()


def test_one_photo_goes_before_what_is_claimed_ahead_of_somebody_who_sends_many(sessions, store, captioner):
    """No message tells of it: those of the flooder's photos are before it in the queue."""
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine))
    many = queue_photos(sessions, store, 40)
    for row in many:
        bench.pipeline.handle(row)
    assert engine.started.wait(20)
    until(lambda: len(bench.heartbeat.held()) > 8)  # more than it runs and has ready: it claims nothing more
    with sessions.begin() as session:
        single = make_caption(session, "web:ann", photo=session.get_one(Caption, many[0]).photo).id
    ready = bench.pipeline._pipeline._batchers["engine"]
    until(lambda: single in [job.caption_id for job in ready._waiting])
    engine.go.set()
    until(lambda: len(bench.woken) == 41)
    assert bench.woken.index(single) < 2 * 4  # the batch that ran, and the one that it is in
    assert sorted(bench.woken) == sorted([*many, single])
    assert bench.pipeline.close(10)


def test_what_another_worker_has_taken_meanwhile_is_left_to_it(sessions, store, captioner):
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine))
    [row] = queue_photos(sessions, store, 1)
    done = threading.Event()
    bench.pipeline.handle(row, done.set)
    assert engine.started.wait(20)
    with sessions.begin() as session:
        captions.release(session, [row], "here")
        assert captions.claim(session, row, "there", LEASE)
    engine.go.set()
    assert done.wait(20)
    assert (bench.row(row).state, bench.row(row).worker) == (State.RUNNING, "there")
    assert bench.woken == []
    bench.pipeline.close(10)


def test_rows_are_held_only_while_they_are_worked_on(bench, store):
    rows = queue_photos(bench.sessions, store, 6)
    bench.handle(*rows)
    assert bench.heartbeat.held() == []


def test_attention_is_kept_in_whole_numbers_by_the_strongest_region_of_a_word():
    attention = np.array([[[0.5, 0.25], [0.25, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert attention_maps(attention) == {"rows": 2, "columns": 2, "maps": [[255, 128, 128, 0], [0, 0, 0, 0]]}


def test_log_messages_about_a_caption_carry_its_id(bench, sessions, store, caplog):
    caplog.set_level("INFO", logger="worker.pipeline")
    rows = queue_photos(sessions, store, 2)
    with sessions.begin() as session:
        missing = make_caption(session).id
    bench.handle(missing, *rows)
    about = {record.caption: record.getMessage() for record in caplog.records if hasattr(record, "caption")}
    assert set(about) == {missing, *rows}
    assert "not in the store" in about[missing]
    assert about[rows[0]].startswith(f"caption {rows[0]}: model ")


def test_a_photo_that_cannot_be_read_in_a_store_that_works_fails_after_some_tries(bench, store, monkeypatch):
    monkeypatch.setattr(pipeline, "FILE_TRIES", 3)
    monkeypatch.setattr(pipeline, "STORE_DELAY", 0.01)
    broken, whole = queue_photos(bench.sessions, store, 2)
    (path,) = Path(store.url).rglob(_sha256_of(bench, broken))
    path.unlink()
    path.mkdir()  # reading fails, which is another error than "no such file"
    bench.handle(broken, whole)
    assert (bench.row(broken).state, bench.row(broken).error) == (State.FAILED, UNREADABLE)
    assert bench.row(whole).state is State.DONE
    path.rmdir()


def _sha256_of(bench, row):
    with bench.sessions() as session:
        return session.get_one(Caption, row).photo.sha256
