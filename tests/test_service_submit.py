"""Submitting a photo: stored, queued, limited, or refused."""

import contextlib
import resource
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bots.errors import Busy, NoneLeft, NotFound, NotReady, PhotoGone, StorageFull, TooManyRequests, UnreadablePhoto
from db import model_registry
from db.caption_options import CaptionOptions
from db.caption_requests import CaptionRequest
from db.captions import MOST_SENTENCES, NONE_LEFT
from db.tables import Caption, Photo, State, now
from tests.support.factories import make_model
from tests.support.service_parts import picture

ANN, BEN = "web:ann", "web:ben"


def submit(service, data=None, *, sender=ANN, source=None, front_end="web", **more):
    data = picture() if data is None else data
    return service.submissions.submit(data, CaptionRequest(sender=sender, front_end=front_end, source=source, **more))


def row_of(sessions, submitted):
    with sessions() as session:
        return session.get(Caption, submitted.row)


def count(sessions, table):
    with sessions() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_a_photo_is_kept_and_queued(service, queued, store, sessions):
    submitted = submit(service)
    assert queued == [submitted.row]
    assert (submitted.state, submitted.known, len(submitted.id)) == (State.QUEUED, False, 22)
    with sessions() as session:
        caption = session.get(Caption, submitted.row)
        assert store.read(caption.photo.sha256).startswith(b"\xff\xd8")
        assert (caption.photo.width, caption.photo.height) == (40, 30)
        assert caption.options == CaptionOptions(beams=3, length="normal")


def test_what_is_no_photo_leaves_nothing_behind(service, queued, sessions, store):
    with pytest.raises(UnreadablePhoto):
        submit(service, b"<html>")
    assert queued == []
    assert count(sessions, Caption) == count(sessions, Photo) == 0
    assert list(store.names()) == []


def test_a_source_seen_twice_makes_one_row(service, queued, sessions):
    first = submit(service, source="telegram:7/1")
    assert submit(service, source="telegram:7/1") == first
    assert queued == [first.row]
    assert count(sessions, Caption) == 1


def test_a_source_seen_twice_does_not_count_twice(new_service):
    service = new_service(rates="1/hour")
    first = submit(service, source="telegram:7/1")
    assert submit(service, source="telegram:7/1") == first


def test_a_source_seen_by_several_at_once_makes_one_row(service, queued, sessions):
    with ThreadPoolExecutor(6) as pool:
        submitted = set(pool.map(lambda _: submit(service, source="telegram:7/1"), range(6)))
    assert len(submitted) == 1
    assert queued == [submitted.pop().row]
    assert count(sessions, Caption) == 1


def test_a_photo_sent_by_several_at_once_is_kept_once(service, queued, sessions, store):
    with ThreadPoolExecutor(6) as pool:
        submitted = list(pool.map(lambda number: submit(service, sender=f"web:{number}"), range(6)))
    assert len({one.id for one in submitted}) == len(queued) == count(sessions, Caption) == 6
    assert count(sessions, Photo) == len(list(store.names())) == 1


def test_a_photo_whose_sentence_is_known_gets_it_at_once(service, worker, queued):
    first = submit(service)
    worker.caption(first.row, text="a known dog", confidence=0.8)
    second = submit(service, sender=BEN)
    assert queued == [first.row]
    assert (second.known, second.state) == (True, State.DONE)
    assert second.id != first.id
    view = service.captions.get(second.id, person=BEN)
    assert (view.text, view.confidence, view.model) == ("a known dog", 0.8, "bundled")


def test_what_is_known_wakes_its_front_end(service, worker, notifier):
    worker.caption(submit(service, front_end="telegram").row)
    woken = []
    notifier.subscribe("telegram", woken.append)
    assert [submit(service, front_end="telegram").row] == woken


def test_other_options_or_another_photo_are_not_known(service, worker):
    worker.caption(submit(service).row)
    assert not submit(service, options=CaptionOptions(beams=5)).known
    assert not submit(service, options=CaptionOptions(length="short")).known
    assert not submit(service, picture(1)).known


def test_what_another_model_said_is_not_known(service, worker, sessions):
    worker.caption(submit(service).row, model_version="bundled")
    with sessions.begin() as session:
        make_model(session, "v2")
        model_registry.promote(session, "v2", by="test")
    again = submit(service)
    assert not again.known
    worker.caption(again.row, model_version="v2")
    assert submit(service).known


def test_each_gets_what_the_model_that_serves_them_said(service, worker, sessions):
    worker.caption(submit(service).row, model_version="bundled")
    with sessions.begin() as session:
        make_model(session, "v2")
        model_registry.promote(session, "v2", by="test", canary_percent=50)
    people = [f"web:{number}" for number in range(20)]
    known = {person for person in people if submit(service, sender=person).known}
    assert known == {person for person in people if not model_registry.uses_canary(person, 50)}


def test_preferences_are_options_unless_others_are_given(service, sessions):
    service.people.set_preferences(ANN, quality="quick", length="short")
    assert row_of(sessions, submit(service)).options == CaptionOptions(beams=1, length="short")
    assert row_of(sessions, submit(service, options=CaptionOptions(beams=7))).options == CaptionOptions(
        beams=7, length="short"
    )


def test_too_many_photos_are_refused_with_a_time(new_service):
    service = new_service(rates="2/hour")
    submit(service)
    submit(service)
    with pytest.raises(TooManyRequests, match="again in"):
        submit(service)
    submit(service, sender=BEN)


def test_a_queue_that_is_full_takes_no_more(new_service, worker):
    service = new_service(queue_limit=2)
    first = submit(service, picture(1))
    submit(service, picture(2))
    with pytest.raises(Busy) as refusal:
        submit(service, picture(3))
    assert refusal.value.retry_after >= 10
    worker.caption(first.row)
    submit(service, picture(3))


def test_a_busy_queue_costs_nobody_their_share(new_service, worker):
    service = new_service(rates="2/hour", queue_limit=1)
    first = submit(service, picture(1))
    with pytest.raises(Busy):
        submit(service, picture(2))
    worker.caption(first.row)
    submit(service, picture(2))


@contextlib.contextmanager
def full_disk():
    """No file can grow beyond a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        yield
    finally:  # otherwise a failure of this test would fail all that come after it
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_kindly_and_nothing_is_queued(service, queued, sessions):
    first = submit(service, picture(1))
    with full_disk(), pytest.raises(StorageFull, match="no space"):
        submit(service, picture(2))
    assert queued == [first.row]
    assert count(sessions, Caption) == 1


def test_another_one_is_a_new_row_of_the_same_photo(service, worker, queued, sessions):
    first = submit(
        service, options=CaptionOptions(beams=5), chat="telegram:-1", front_end="telegram", sender="telegram:7"
    )
    worker.caption(first.row)
    second = service.submissions.another(
        first.id, person="telegram:7", source="telegram:click 1", reply_to={"button": 1}
    )
    worker.caption(second.row, text="something else")
    third = service.submissions.another(second.id, person="telegram:7")
    assert queued == [first.row, second.row, third.row]
    rows = [row_of(sessions, submitted) for submitted in (first, second, third)]
    assert [row.rank for row in rows] == [0, 1, 2]
    assert [row.parent_id for row in rows] == [None, first.row, second.row]
    assert len({row.photo_id for row in rows}) == len({row.person_id for row in rows}) == 1
    assert {row.chat for row in rows} == {"telegram:-1"}
    assert all(row.options.beams == 5 for row in rows)
    assert rows[1].reply_to == {"button": 1}
    assert service.captions.get(second.id, person="telegram:7").parent == first.id


def test_another_one_is_asked_for_once_at_a_time(service, worker, queued):
    first = submit(service)
    worker.caption(first.row)
    second = service.submissions.another(first.id, person=ANN)
    assert service.submissions.another(first.id, person=ANN) == second
    assert queued == [first.row, second.row]


def test_when_nothing_is_left_to_say_another_one_is_refused_without_a_search(service, worker, queued):
    submitted = submit(service)
    worker.caption(submitted.row)
    again = service.submissions.another(submitted.id, person=ANN)
    worker.fail(again.row, NONE_LEFT)
    with pytest.raises(NoneLeft, match="nothing else"):
        service.submissions.another(submitted.id, person=ANN)
    assert queued == [submitted.row, again.row]


def test_a_photo_has_a_number_of_sentences_that_is_limited(service, worker, queued):
    last = submit(service)
    worker.caption(last.row)
    for number in range(1, MOST_SENTENCES):
        last = service.submissions.another(last.id, person=ANN)
        worker.caption(last.row, text=f"sentence {number}")
    with pytest.raises(NoneLeft):
        service.submissions.another(last.id, person=ANN)
    assert len(queued) == MOST_SENTENCES


def test_another_one_of_somebody_in_the_chat_belongs_to_the_sender(service, worker):
    first = submit(service, sender="telegram:7", chat="telegram:-1", front_end="telegram")
    worker.caption(first.row)
    with pytest.raises(NotFound):
        service.submissions.another(first.id, person="telegram:8")
    second = service.submissions.another(first.id, person="telegram:8", chat="telegram:-1")
    assert service.captions.get(second.id, person="telegram:7").sender == "telegram:7"


def test_there_is_no_other_one_before_the_first(service):
    with pytest.raises(NotReady):
        service.submissions.another(submit(service).id, person=ANN)


def test_a_failed_caption_can_be_tried_again(service, worker):
    first = submit(service)
    worker.fail(first.row)
    assert service.submissions.another(first.id, person=ANN).state is State.QUEUED


def test_there_is_no_other_one_of_a_photo_that_is_gone(service, worker, sessions):
    first = submit(service)
    worker.caption(first.row)
    with sessions.begin() as session:
        session.get(Caption, first.row).photo.last_sent_at = now() - timedelta(days=3)
    assert service.maintenance().clear() == 1
    with pytest.raises(PhotoGone):
        service.submissions.another(first.id, person=ANN)
    assert submit(service).known
