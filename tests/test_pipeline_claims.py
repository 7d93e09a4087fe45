"""Which rows the worker's pipeline holds, whose photo goes first, and what it lets go."""

import threading
import time

from db import captions
from db.tables import Caption, State
from model.captioner import Captioner
from tests.support.factories import make_caption
from tests.support.pipeline_bench import LEASE, Bench
from tests.support.processes import until
from tests.support.random_models import random_model
from tests.support.worker_parts import queue_photos


class Held:
    """An engine that waits until it may go on."""

    def __init__(self, engine):
        self.engine, self.step = engine, engine.step
        self.started, self.go = threading.Event(), threading.Event()

    def encode(self, photos):
        self.started.set()
        self.go.wait(120)
        return self.engine.encode(photos)


def test_a_hanging_engine_is_noticed_and_its_rows_are_let_go(sessions, store, captioner):
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine), time_limit=0.1)
    [row] = queue_photos(sessions, store, 1)
    bench.pipeline.handle(row)
    assert engine.started.wait(90)
    time.sleep(0.15)
    assert bench.pipeline.is_stuck()
    assert (bench.heartbeat.held(), bench.row(row).state) == ([], State.RUNNING)  # its lease will expire
    assert not bench.pipeline.close(0.1)
    engine.go.set()
    assert bench.pipeline.close(90)
    assert not bench.pipeline.is_stuck()


def test_one_photo_goes_before_what_is_claimed_ahead_of_somebody_who_sends_many(sessions, store, captioner):
    """No message tells of it: those of the flooder's photos are before it in the queue."""
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine))
    many = queue_photos(sessions, store, 40)
    for row in many:
        bench.pipeline.handle(row)
    assert engine.started.wait(90)
    until(lambda: len(bench.heartbeat.held()) > 8)  # more than it runs and has ready: it claims nothing more
    with sessions.begin() as session:
        single = make_caption(session, "web:ann", photo=session.get_one(Caption, many[0]).photo).id
    ready = bench.pipeline._pipeline._batchers["engine"]
    until(lambda: single in [job.caption_id for job in ready._waiting])
    engine.go.set()
    until(lambda: len(bench.woken) == 41)
    assert bench.woken.index(single) < 2 * 4  # the batch that ran, and the one that it is in
    assert sorted(bench.woken) == sorted([*many, single])
    assert bench.pipeline.close(90)


def test_what_another_worker_has_taken_meanwhile_is_left_to_it(sessions, store, captioner):
    stored, _, _ = random_model()
    engine = Held(captioner.engine)
    bench = Bench(sessions, store, Captioner(stored, engine))
    [row] = queue_photos(sessions, store, 1)
    done = threading.Event()
    bench.pipeline.handle(row, done.set)
    assert engine.started.wait(90)
    with sessions.begin() as session:
        captions.release(session, [row], "here")
        assert captions.claim(session, row, "there", LEASE)
    engine.go.set()
    assert done.wait(90)
    assert (bench.row(row).state, bench.row(row).worker) == (State.RUNNING, "there")
    assert bench.woken == []
    bench.pipeline.close(90)


def test_rows_are_held_only_while_they_are_worked_on(bench, store):
    rows = queue_photos(bench.sessions, store, 6)
    bench.handle(*rows)
    assert bench.heartbeat.held() == []
