"""Which finished captions are due to be delivered, and what becomes of those that cannot be."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from db import captions
from db.tables import Caption, State, now
from tests.support.factories import make_caption, make_result, make_running

LEASE = timedelta(seconds=30)
EXPIRED = timedelta(seconds=-1)
LONG_AGO = now() - timedelta(hours=1)


# Delivery


def finished(session: Session, **columns: Any) -> Caption:
    return make_caption(session, **{"text": "a dog", "front_end": "telegram"} | columns)


def due(session: Session, limit: int = 10, **options: Any) -> list[int]:
    return [row.id for row in captions.undelivered(session, "telegram", limit, LEASE, **options)]


def test_finished_and_failed_captions_of_a_front_end_are_due_oldest_first(session: Session):
    second = finished(session, finished_at=LONG_AGO)
    first = finished(session, state=State.FAILED, finished_at=LONG_AGO - LEASE)
    finished(session, front_end="discord")
    make_running(session, front_end="telegram")
    assert due(session) == [first.id, second.id]


def test_who_gets_a_caption_to_deliver_has_it_alone_until_the_lease_expires(session: Session):
    caption = finished(session)
    assert due(session) == [caption.id]
    assert due(session) == []
    caption.delivery_lease_until = LONG_AGO
    assert due(session) == [caption.id]
    session.refresh(caption)
    assert caption.delivery_attempts == 2


def test_what_was_delivered_is_not_due_again_and_is_found_by_its_message(session: Session):
    caption = finished(session)
    captions.delivered(session, [caption.id], "telegram:1/2")
    assert due(session) == []
    session.refresh(caption)
    assert caption.message == "telegram:1/2"


def test_what_was_postponed_is_due_when_its_time_has_come(session: Session):
    caption = finished(session)
    due(session)
    captions.postpone(session, [caption.id], now() + LEASE)
    assert due(session) == []
    captions.postpone(session, [caption.id], now() - LEASE)
    assert due(session) == [caption.id]


def test_what_was_closed_is_never_due_again(session: Session):
    caption = finished(session)
    captions.close(session, [caption.id], "blocked")
    assert due(session) == []
    session.refresh(caption)
    assert caption.closed == "blocked"


def test_what_was_delivered_is_neither_postponed_nor_closed_by_one_who_comes_late(session: Session):
    caption = finished(session)
    captions.delivered(session, [caption.id], None)
    captions.postpone(session, [caption.id], now())
    captions.close(session, [caption.id], "blocked")
    session.refresh(caption)
    assert (caption.deliver_after, caption.closed) == (None, None)


def test_an_album_is_due_when_all_of_its_photos_are_finished(session: Session):
    rows = [finished(session, album="a"), make_running(session, front_end="telegram", album="a")]
    assert due(session) == []
    captions.finish(session, rows[1].id, "w1", make_result())
    assert due(session) == [row.id for row in rows]


def test_an_album_comes_whole_beyond_the_limit(session: Session):
    rows = [finished(session, album="a") for _ in range(3)]
    assert due(session, limit=1) == [row.id for row in rows]


def test_an_album_that_still_grows_waits(session: Session):
    row = finished(session, album="a")
    assert due(session, quiet=LEASE) == []
    row.created_at = LONG_AGO
    assert due(session, quiet=LEASE) == [row.id]
