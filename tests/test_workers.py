"""The list of workers that are alive."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import workers
from db.tables import Worker, now

MINUTE = timedelta(minutes=1)


def test_a_worker_that_beats_is_alive_with_the_versions_it_holds(session: Session):
    workers.beat(session, "host:1", "openvino", [])
    workers.beat(session, "host:1", "openvino", ["bundled", "v1"])
    (worker,) = workers.alive(session, MINUTE)
    assert (worker.name, worker.engine, worker.versions) == ("host:1", "openvino", ["bundled", "v1"])


def test_a_worker_not_seen_for_long_is_not_alive_and_is_cleared_later(session: Session):
    session.add(Worker(name="host:1", engine="torch", seen_at=now() - 2 * MINUTE))
    assert workers.alive(session, MINUTE) == []
    workers.clear_dead(session, 3 * MINUTE)
    assert session.scalars(select(Worker.name)).all() == ["host:1"]
    workers.clear_dead(session, MINUTE)
    assert session.scalars(select(Worker.name)).all() == []


def test_a_worker_that_stops_leaves(session: Session):
    workers.beat(session, "host:1", "openvino", [])
    workers.leave(session, "host:1")
    assert workers.alive(session, MINUTE) == []
