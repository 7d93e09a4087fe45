"""The states of a caption's row: queued, claimed by a worker, done or failed."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import captions
from db.caption_options import CaptionOptions
from db.captions import GAVE_UP, Claimed
from db.tables import State, now
from tests.support.factories import make_caption, make_result, make_running

LEASE = timedelta(seconds=30)
EXPIRED = timedelta(seconds=-1)
LONG_AGO = now() - timedelta(hours=1)


# Claiming


def test_claiming_a_queued_row_gives_what_a_worker_needs_of_it(session: Session):
    caption = make_caption(session, person="telegram:7", chat="telegram:-8", rank=2, options=CaptionOptions(beams=5))
    claimed = captions.claim(session, caption.id, "w1", LEASE)
    assert claimed == Claimed(
        caption.id,
        "web",
        "telegram:-8",
        "telegram:7",
        rank=2,
        options=CaptionOptions(beams=5),
        sha256=caption.photo.sha256,
    )
    session.refresh(caption)
    assert (caption.state, caption.worker, caption.attempts) == (State.RUNNING, "w1", 0)
    assert caption.lease_until is not None
    assert now() < caption.lease_until <= now() + LEASE


@pytest.mark.database("postgresql")  # SQLite waits for the disk at checkpoints only
def test_claims_do_not_wait_for_the_disk_and_all_else_does(session: Session):
    def waits() -> bool:
        return session.scalar(text("SHOW synchronous_commit")) == "on"

    caption = make_caption(session)
    session.commit()
    for write in (
        partial(captions.claim, session, caption.id, "w1", LEASE),
        partial(captions.renew, session, [caption.id], "w1", LEASE),
    ):
        assert write()
        assert not waits()
        session.commit()
        assert waits()
    assert captions.finish(session, caption.id, "w1", make_result())
    assert waits()
    session.rollback()
    session.delete(caption)
    session.commit()


@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_a_finished_row_cannot_be_claimed(session: Session, state: State):
    assert captions.claim(session, make_caption(session, state=state).id, "w1", LEASE) is None


def test_a_row_that_is_gone_cannot_be_claimed(session: Session):
    assert captions.claim(session, 12345, "w1", LEASE) is None


def test_a_row_with_a_lease_cannot_be_claimed_even_by_its_own_worker(session: Session):
    assert captions.claim(session, make_running(session).id, "w1", LEASE) is None


def test_an_expired_lease_is_taken_over_and_counts_an_attempt(session: Session):
    caption = make_running(session, EXPIRED)
    assert captions.claim(session, caption.id, "w2", LEASE)
    session.refresh(caption)
    assert (caption.worker, caption.attempts) == ("w2", 1)


def test_nobody_claims_a_row_whose_last_attempt_has_expired(session: Session):
    assert captions.claim(session, make_running(session, EXPIRED, attempts=3).id, "w2", LEASE) is None


def test_claiming_many_gives_those_that_are_free_in_order(session: Session):
    rows = [make_caption(session), make_running(session), make_caption(session)]
    claimed = captions.claim_many(session, [row.id for row in reversed(rows)], "w2", LEASE)
    assert [row.id for row in claimed] == [rows[0].id, rows[2].id]


# Holding


def test_a_worker_renews_what_it_holds_even_when_the_lease_has_expired(session: Session):
    mine, late, others = make_running(session), make_running(session, EXPIRED), make_running(session, worker="w2")
    assert captions.renew(session, [mine.id, late.id, others.id], "w1", 2 * LEASE) == [mine.id, late.id]
    session.refresh(late)
    assert late.lease_until is not None
    assert late.lease_until > now() + LEASE


def test_finishing_writes_the_sentence(session: Session):
    caption, result = make_running(session), make_result(attention={"rows": 1, "columns": 1, "maps": [[9]]})
    assert captions.finish(session, caption.id, "w1", result)
    session.refresh(caption)
    assert {name: getattr(caption, name) for name in vars(result)} == vars(result)
    assert (caption.state, caption.lease_until) == (State.DONE, None)
    assert caption.finished_at is not None


def test_a_worker_that_lost_a_row_cannot_finish_or_fail_it(session: Session):
    caption = make_running(session, worker="w2")
    assert not captions.finish(session, caption.id, "w1", make_result())
    assert not captions.fail(session, caption.id, "w1", "no")
    session.refresh(caption)
    assert (caption.state, caption.text) == (State.RUNNING, None)


def test_finishing_twice_keeps_the_first_sentence(session: Session):
    caption = make_running(session)
    assert captions.finish(session, caption.id, "w1", make_result(text="first"))
    assert not captions.finish(session, caption.id, "w1", make_result(text="second"))
    session.refresh(caption)
    assert caption.text == "first"


def test_finishing_many_tells_which_were_still_held(session: Session):
    rows = [make_running(session), make_caption(session, text="done before"), make_running(session)]
    results = {row.id: make_result(text=f"sentence {number}") for number, row in enumerate(rows)}
    assert captions.finish_many(session, "w1", results) == [rows[0].id, rows[2].id]
    for row in rows:
        session.refresh(row)
    assert [row.text for row in rows] == ["sentence 0", "done before", "sentence 2"]


def test_failing_keeps_the_sentence_for_people(session: Session):
    caption = make_running(session)
    assert captions.fail(session, caption.id, "w1", "I no longer have that photo.")
    session.refresh(caption)
    assert (caption.state, caption.error) == (State.FAILED, "I no longer have that photo.")
    assert caption.finished_at is not None


def test_released_rows_are_queued_again_without_counting(session: Session):
    mine, others = make_running(session), make_running(session, worker="w2")
    assert captions.release(session, [mine.id, others.id], "w1") == [mine.id]
    session.refresh(mine)
    assert (mine.state, mine.worker, mine.attempts) == (State.QUEUED, None, 0)


# What got stuck


def test_expired_leases_are_taken_back_and_sent_again(session: Session):
    expired = make_running(session, EXPIRED)
    make_running(session)
    assert captions.requeue_stale(session, now(), LEASE) == [expired.id]
    session.refresh(expired)
    assert (expired.state, expired.attempts, expired.worker) == (State.QUEUED, 1, None)


def test_the_fourth_expired_lease_fails_the_row_with_a_kind_sentence(session: Session):
    caption = make_caption(session)
    for attempt in (1, 2, 3):
        assert captions.claim(session, caption.id, "w1", EXPIRED)
        assert captions.requeue_stale(session, now(), LEASE) == [caption.id]
        session.refresh(caption)
        assert caption.attempts == attempt
    assert captions.claim(session, caption.id, "w1", EXPIRED)
    assert captions.requeue_stale(session, now(), LEASE) == []
    session.refresh(caption)
    assert (caption.state, caption.error, caption.attempts) == (State.FAILED, GAVE_UP, 4)


def test_rows_that_wait_long_are_sent_again_without_counting_the_longest_waiting_first(session: Session):
    long = make_caption(session, queued_at=LONG_AGO)
    longer = make_caption(session, queued_at=LONG_AGO - LEASE)
    make_caption(session)
    assert captions.requeue_stale(session, now(), LEASE) == [longer.id, long.id]
    assert (long.state, long.attempts) == (State.QUEUED, 0)


def test_what_was_just_sent_again_is_left_alone(session: Session):
    make_caption(session, queued_at=LONG_AGO)
    assert len(captions.requeue_stale(session, now(), LEASE)) == 1
    assert captions.requeue_stale(session, now(), LEASE) == []
