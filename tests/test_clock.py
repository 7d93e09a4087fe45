"""Clocks that are wrong: with PostgreSQL the server's counts, and nothing that is too far ahead holds for long."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from db import captions, clock, leases, workers
from db.engine import create_engine
from db.tables import Caption, State, now
from tests.support.factories import make_caption

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def server_ahead(database_url):
    """server_ahead(HOUR): the server's clock is so far ahead of this machine's, for connections made from now on."""
    database = make_url(database_url).database
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("CREATE SCHEMA wrong")

        def begin(by: timedelta) -> None:
            server.execute(
                f"""CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
                $$ SELECT pg_catalog.clock_timestamp() + interval '{by.total_seconds()} seconds' $$"""
            )
            server.execute(f'ALTER DATABASE "{database}" SET search_path = wrong, pg_catalog, public')

        yield begin
        server.execute(f'ALTER DATABASE "{database}" RESET search_path')
        server.execute("DROP SCHEMA wrong CASCADE")


@pytest.mark.database("postgresql")
@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_process_follows_the_servers_clock_where_its_own_differs(server_ahead, database_url, by):
    clock.follow(None)
    server_ahead(by)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        server = connection.execute(text("SELECT clock_timestamp()")).scalar()
        assert abs(now() - server) < MINUTE
        assert abs(clock.own_time() + by - server) < MINUTE
    engine.dispose()


@pytest.mark.database("postgresql")
def test_the_servers_time_is_measured_again_when_a_connection_is_used(engine, monkeypatch):
    with engine.connect():
        pass
    clock.follow(now() + HOUR)
    monkeypatch.setattr(clock, "MEASURED", 0.0)
    with engine.connect() as connection:
        assert abs(now() - connection.execute(text("SELECT clock_timestamp()")).scalar()) < MINUTE


def test_a_lease_of_a_clock_that_was_ahead_is_free(session: Session):
    session.connection()
    right = now()
    clock.follow(right + HOUR)
    assert leases.acquire(session, "upkeep", "ahead", MINUTE)
    clock.follow(right)
    assert leases.acquire(session, "upkeep", "right", MINUTE)
    assert not leases.acquire(session, "upkeep", "third", MINUTE)


def test_a_dead_worker_whose_clock_was_ahead_is_not_taken_for_alive(session: Session):
    session.connection()
    right = now()
    clock.follow(right + HOUR)
    workers.beat(session, "ahead", "openvino", ["v1"])
    clock.follow(right)
    workers.beat(session, "right", "openvino", ["v1"])
    assert [worker.name for worker in workers.alive(session)] == ["right"]
    workers.clear_dead(session, timedelta(days=1))
    assert session.execute(text("SELECT name FROM workers")).scalars().all() == ["right"]


def test_captions_of_a_process_whose_clock_was_ahead_are_taken_over(session: Session):
    session.connection()
    right = now()
    clock.follow(right + HOUR)
    held, lost = make_caption(session).id, make_caption(session).id
    done = make_caption(session, text="A dog.", front_end="telegram").id
    assert captions.claim(session, held, "ahead", MINUTE)
    assert captions.undelivered(session, "telegram", 1, MINUTE)
    clock.follow(right)
    assert sorted(captions.requeue_stale(session, now(), MINUTE)) == [held, lost]
    assert session.get_one(Caption, held).state is State.QUEUED
    assert [caption.id for caption in captions.undelivered(session, "telegram", 1, MINUTE)] == [done]
