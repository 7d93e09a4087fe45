"""Photos whose worker died while it had them are tried one at a time, so that none fails for what another one did."""

from datetime import timedelta

from sqlalchemy.orm import Session

from db import captions, suspects, turns
from db.tables import Caption, State, now
from tests.support.factories import make_caption, make_result

LEASE, OVER = timedelta(minutes=1), timedelta(0)


def died_with(session: Session, count: int, worker: str = "dead") -> list[int]:
    """Captions of a worker that died while it had so many, queued again."""
    rows = [make_caption(session).id for _ in range(count)]
    assert len(captions.claim_many(session, rows, worker, OVER)) == count
    assert captions.requeue_stale(session, now(), LEASE) == rows
    return rows


def test_suspects_are_claimed_one_at_a_time_and_others_before_and_after_them(session: Session):
    first, second = died_with(session, 2)
    others = [make_caption(session, "web:ann").id, make_caption(session, "web:ben").id]
    assert suspects.wait(session)
    assert turns.newcomers(session, 9) == others
    assert [row.id for row in captions.claim_next(session, 9, "w", LEASE)] == others
    assert [row.id for row in suspects.claim_one(session, 9, "w", LEASE)] == [first]
    assert captions.finish(session, first, "w", make_result())
    assert [row.id for row in suspects.claim_one(session, 9, "w", LEASE)] == [second]
    assert not suspects.wait(session)
    assert suspects.claim_one(session, 9, "w", LEASE) == []


def test_one_that_dies_again_waits_behind_the_other_suspects(session: Session):
    first, second = died_with(session, 2)
    assert suspects.claim_one(session, 1, "dead", OVER)
    assert captions.requeue_stale(session, now(), LEASE) == [first]
    assert [row.id for row in suspects.claim_one(session, 1, "w", LEASE)] == [second]


def test_workers_that_are_killed_at_random_fail_no_photo(session: Session):
    """An admin, or a machine that is short of memory: the one that was in work is each time another."""
    rows = died_with(session, 4)
    for expected in rows:
        assert [row.id for row in suspects.claim_one(session, 1, "dead", OVER)] == [expected]
        assert captions.requeue_stale(session, now(), LEASE) == [expected]
    assert {session.get_one(Caption, row).attempts for row in rows} == {2}
    assert {session.get_one(Caption, row).state for row in rows} == {State.QUEUED}
