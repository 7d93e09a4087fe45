"""Submitting a photo: stored, queued, limited, or refused."""

import contextlib
import resource
from concurrent.futures import ThreadPoolExecutor

import pytest

from bots.errors import Busy, StorageFull, TooManyRequests, UnreadablePhoto
from db import model_registry
from db.caption_options import CaptionOptions
from db.caption_requests import CaptionRequest
from db.tables import Caption, Photo, State
from tests.support.factories import make_model
from tests.support.service_parts import ANN, BEN, count, picture, row_of


def submit(service, data=None, *, sender=ANN, source=None, front_end="web", **more):
    data = picture() if data is None else data
    return service.submissions.submit(data, CaptionRequest(sender=sender, front_end=front_end, source=source, **more))


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
