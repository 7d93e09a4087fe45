"""Many that want the same rows at the same time, in processes and transactions of their own."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from db import captions, leases, people
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Caption, State, now
from tests.support.factories import make_caption, make_result

LEASE = timedelta(seconds=30)
ROWS = 30


def claim_each(url: str, ids: list[int], worker: str) -> list[int]:
    """One row a transaction, as tasks come."""
    sessions = sessions_of(create_engine(url))
    won = []
    for id in ids:
        with sessions.begin() as session:
            if captions.claim(session, id, worker, LEASE):
                won.append(id)
    return won


def claim_in_batches(url: str, ids: list[int], worker: str) -> list[int]:
    """Many rows a transaction, and the sentences at once."""
    sessions = sessions_of(create_engine(url))
    won = []
    for start in range(0, len(ids), 7):
        with sessions.begin() as session:
            rows = captions.claim_many(session, ids[start : start + 7], worker, LEASE)
        with sessions.begin() as session:
            results = {row.id: make_result(text=worker) for row in rows}
            won += captions.finish_many(session, worker, results)
    return won


def claim_by_turns(url: str, ids: list[int], worker: str) -> list[int]:
    """As many as are free, whichever they are."""
    sessions = sessions_of(create_engine(url))
    won: list[int] = []
    for _ in range(0, len(ids), 7):
        with sessions.begin() as session:
            won += [row.id for row in captions.claim_next(session, 7, worker, LEASE)]
    return won


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("take", [claim_each, claim_in_batches, claim_by_turns])
def test_of_two_processes_that_want_the_same_rows_exactly_one_gets_each(
    sessions: sessionmaker[Session], database_url: str, processes: ProcessPoolExecutor, take: Callable[..., list[int]]
):
    with sessions.begin() as session:
        ids = [make_caption(session).id for _ in range(ROWS)]
    # One from the front, one from the back: they meet, and hold rows that the other one wants.
    won = [processes.submit(take, database_url, ids, "w1"), processes.submit(take, database_url, ids[::-1], "w2")]
    counts = Counter(id for future in won for id in future.result())
    assert counts == dict.fromkeys(ids, 1)


def test_one_row_that_many_threads_claim_is_won_once(sessions: sessionmaker[Session]):
    def claim(number: int) -> bool:
        with sessions.begin() as session:
            return captions.claim(session, id, f"w{number}", LEASE) is not None

    with ThreadPoolExecutor(8) as threads:
        for _ in range(4):
            with sessions.begin() as session:
                id = make_caption(session).id
            assert sum(threads.map(claim, range(8))) == 1


def test_an_expired_lease_is_taken_over_by_one_and_counted_once(sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        id = make_caption(session, state=State.RUNNING, worker="dead", lease_until=now() - LEASE).id

    def claim(number: int) -> bool:
        with sessions.begin() as session:
            return captions.claim(session, id, f"w{number}", LEASE) is not None

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(8))) == 1
    with sessions() as session:
        assert session.get_one(Caption, id).attempts == 1


def test_an_album_is_delivered_by_one_process_only(sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        for number in range(12):
            make_caption(session, text="a dog", album=f"album {number // 4}")

    def deliver(_: int) -> list[int]:
        with sessions.begin() as session:
            return [row.id for row in captions.undelivered(session, "web", 5, LEASE)]

    with ThreadPoolExecutor(4) as threads:
        got = [rows for rows in threads.map(deliver, range(12)) if rows]
    assert sorted(id for rows in got for id in rows) == list(range(min(got[0]), min(got[0]) + 12))
    assert {len(rows) % 4 for rows in got} == {0}


def test_finishing_and_taking_back_at_the_same_time_never_lock_each_other_out(sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        late = {"state": State.RUNNING, "worker": "w1", "lease_until": now() - LEASE}
        ids = [make_caption(session, **late).id for _ in range(ROWS)]

    def finish() -> list[int]:
        with sessions.begin() as session:
            return captions.finish_many(session, "w1", {id: make_result() for id in reversed(ids)})

    def take_back() -> list[int]:
        with sessions.begin() as session:
            return captions.requeue_stale(session, now(), LEASE)

    with ThreadPoolExecutor(2) as threads:
        finished, taken = [future.result() for future in (threads.submit(finish), threads.submit(take_back))]
    assert sorted(finished + taken) == ids
    with sessions() as session:
        states = dict(session.execute(select(Caption.id, Caption.state)).all())
    assert [id for id in ids if states[id] == State.DONE] == finished


def test_a_person_who_comes_twice_at_once_is_one_person(sessions: sessionmaker[Session]):
    def come(_: int) -> int:
        with sessions.begin() as session:
            return people.find_or_create(session, "telegram:7").id

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(come, range(6)))) == 1


def test_a_lease_is_had_by_one_of_many(sessions: sessionmaker[Session]):
    def take(number: int) -> bool:
        with sessions.begin() as session:
            return leases.acquire(session, "upkeep", f"process {number}", LEASE)

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(take, range(6))) == 1
