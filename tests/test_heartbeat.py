"""A worker's heartbeat: it is listed as alive, and the leases of its rows are renewed."""

from datetime import timedelta

import pytest

from db import captions, workers
from db.tables import Caption, State, now
from tests.support.factories import make_caption
from tests.support.processes import until
from worker.heartbeat import Heartbeat

MINUTE = timedelta(minutes=1)


@pytest.fixture
def beating(sessions):
    """A heartbeat and a row that it holds."""
    heartbeat = Heartbeat(sessions, "here", "openvino", lambda: ["v1"], lease=timedelta(seconds=0.6))
    with sessions.begin() as session:
        row = make_caption(session).id
        assert captions.claim(session, row, "here", heartbeat.lease)
    heartbeat.hold([row])
    heartbeat.start()
    yield heartbeat, row
    heartbeat.stop()


def read(sessions, row: int) -> Caption:
    with sessions() as session:
        return session.get_one(Caption, row)


def test_a_worker_is_seen_with_its_models(beating, sessions):
    with sessions() as session:
        (worker,) = workers.alive(session, MINUTE)
    assert (worker.name, worker.engine, worker.versions) == ("here", "openvino", ["v1"])


def test_a_held_row_stays_held_however_long_it_takes(beating, sessions):
    _, row = beating
    first = read(sessions, row).lease_until
    until(lambda: read(sessions, row).lease_until >= first + timedelta(seconds=0.6))


def test_a_dropped_row_is_renewed_no_more(beating, sessions):
    heartbeat, row = beating
    heartbeat.drop([row])
    until(lambda: read(sessions, row).lease_until < now())


def test_stopping_gives_rows_back_and_says_goodbye(beating, sessions):
    heartbeat, row = beating
    heartbeat.stop()
    with sessions() as session:
        assert workers.alive(session, MINUTE) == []
        given_back = session.get_one(Caption, row)
    assert (given_back.state, given_back.worker, given_back.attempts) == (State.QUEUED, None, 0)


def test_there_is_room_when_enough_rows_were_dropped(beating):
    heartbeat, row = beating
    heartbeat.wait_for_room(1)
    heartbeat.drop([row])
    heartbeat.wait_for_room(0)


def test_nobody_waits_for_room_in_a_worker_that_stops(beating):
    heartbeat, _ = beating
    heartbeat.stop()
    heartbeat.wait_for_room(0)


def test_what_is_held_for_longer_than_anything_takes_is_renewed_no_more(sessions):
    heartbeat = Heartbeat(sessions, "here", "openvino", lambda: ["v1"], longest=2)
    heartbeat.hold([1])
    assert heartbeat.held() == [1]
    until(lambda: heartbeat.held() == [])
    heartbeat.hold([2])
    assert heartbeat.held() == [2]
