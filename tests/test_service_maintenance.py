"""The service's upkeep: queued rows are sent again, expired leases are taken back, old data is deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from bots.errors import NotFound
from bots.service.base import Backend
from bots.service.maintenance import Maintenance
from bots.service.rate_limits import RateLimits
from db import captions, workers
from db.caption_requests import CaptionRequest
from db.tables import Caption, Chat, Photo, now
from tests.support.processes import until
from tests.support.service_parts import picture

ANN, BEN = "web:ann", "web:ben"
DAY = timedelta(days=1)


def submit(service, number=0, *, sender=ANN, **more):
    return service.submissions.submit(picture(number), CaptionRequest(sender=sender, front_end="web", **more))


def sent_before(sessions, age):
    """Let all photos have been sent that long ago."""
    with sessions.begin() as session:
        for photo in session.query(Photo):
            photo.last_sent_at = now() - age


@pytest.fixture
def start(engine, store, queued):
    """start(lost_after=...): maintenance running in a thread, as in another process; stopped in the end."""
    running = []

    def start_one(lost_after=timedelta(seconds=30), enqueue=queued.append):
        backend = Backend(engine, store, enqueue, RateLimits("1/minute"))
        maintenance = Maintenance(backend, lost_after=lost_after, interval=0.05, grace=1.0)
        maintenance.start()
        running.append(maintenance)
        return maintenance

    yield start_one
    for maintenance in running:
        maintenance.stop()


@pytest.fixture
def alive(sessions):
    """A worker that was seen just now."""
    with sessions.begin() as session:
        workers.beat(session, "alive", "openvino", ["bundled"])


def queued_before(sessions, submitted, seconds):
    with sessions.begin() as session:
        session.get(Caption, submitted.row).queued_at = now() - timedelta(seconds=seconds)


def test_what_waits_while_workers_do_nothing_is_sent_again(service, queued, sessions, alive):
    submitted = submit(service)
    assert service.maintenance().requeue() == 0
    queued_before(sessions, submitted, 60)
    assert service.maintenance().requeue() == 1
    assert queued == [submitted.row, submitted.row]
    assert service.maintenance().requeue() == 0


def test_what_waits_while_all_workers_are_busy_is_not_sent_again(service, sessions, alive):
    first, second = submit(service, 1), submit(service, 2)
    queued_before(sessions, first, 600)
    queued_before(sessions, second, 599)
    with sessions.begin() as session:
        assert captions.claim(session, first.row, "alive", timedelta(minutes=1))
    assert service.maintenance().requeue() == 0


def test_what_waits_while_one_of_the_workers_is_idle_is_sent_again(service, queued, sessions, alive):
    first, second = submit(service, 1), submit(service, 2)
    queued_before(sessions, second, 300)
    with sessions.begin() as session:
        workers.beat(session, "busy", "openvino", ["bundled"])
        assert captions.claim(session, first.row, "busy", timedelta(minutes=1))
    assert service.maintenance().requeue() == 1
    assert queued == [first.row, second.row, second.row]


def test_nothing_is_sent_again_while_there_are_no_workers(service, sessions):
    queued_before(sessions, submit(service), 3600)
    assert service.maintenance().requeue() == 0


def test_a_caption_of_a_dead_worker_is_sent_again_and_given_up_in_the_end(service, queued, sessions):
    submitted = submit(service)
    for _ in range(captions.MAX_ATTEMPTS - 1):
        with sessions.begin() as session:
            assert captions.claim(session, submitted.row, "dead", timedelta(seconds=-1))
        assert service.maintenance().requeue() == 1
    with sessions.begin() as session:
        assert captions.claim(session, submitted.row, "dead", timedelta(seconds=-1))
    assert service.maintenance().requeue() == 0
    assert "Please try another one" in service.captions.get(submitted.id, person=ANN).error


def test_it_does_so_by_itself(service, queued, start, alive):
    submitted = submit(service)
    start(lost_after=timedelta(0))
    until(lambda: queued.count(submitted.row) >= 3)


def test_of_several_processes_one_does_it(service, start, alive):
    by_first, by_second = [], []
    submit(service)
    start(lost_after=timedelta(0), enqueue=by_first.append)
    until(lambda: by_first)
    start(lost_after=timedelta(0), enqueue=by_second.append)
    seen = len(by_first)
    until(lambda: len(by_first) > seen + 5)
    assert by_second == []


def test_old_photos_are_dropped_and_their_sentences_stay(service, worker, sessions, store):
    submitted = submit(service)
    worker.caption(submitted.row, text="a dog runs")
    sent_before(sessions, timedelta(hours=23))
    assert service.maintenance().clear() == 0
    sent_before(sessions, timedelta(hours=25))
    assert service.maintenance().clear() == 1
    assert list(store.names()) == []
    view = service.captions.get(submitted.id, person=ANN)
    assert (view.text, view.has_photo) == ("a dog runs", False)


def test_a_photo_that_still_waits_is_not_dropped(service, sessions):
    submit(service)
    sent_before(sessions, 3 * DAY)
    assert service.maintenance().clear() == 0


def test_photos_given_for_training_are_kept_for_longer(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    service.feedback.vote(submitted.id, person=ANN, value=1)
    service.people.set_consent(ANN, agreed=True)
    sent_before(sessions, 364 * DAY)
    assert service.maintenance().clear() == 0
    sent_before(sessions, 366 * DAY)
    assert service.maintenance().clear() == 1


@pytest.mark.parametrize("agreed", [None, False])
def test_without_a_yes_they_are_not(service, worker, sessions, agreed):
    submitted = submit(service)
    worker.caption(submitted.row)
    service.feedback.vote(submitted.id, person=ANN, value=1)
    if agreed is not None:
        service.people.set_consent(ANN, agreed=agreed)
    sent_before(sessions, 2 * DAY)
    assert service.maintenance().clear() == 1


def test_somebody_elses_vote_and_consent_keep_no_photo(service, worker, sessions):
    submitted = submit(service, chat="telegram:-1")
    worker.caption(submitted.row)
    service.feedback.vote(submitted.id, person=BEN, value=1, chat="telegram:-1")
    service.people.set_consent(BEN, agreed=True)
    sent_before(sessions, 2 * DAY)
    assert service.maintenance().clear() == 1


def test_a_chat_that_was_left_is_purged_after_a_week(service, worker, sessions):
    here = submit(service, 1, chat="discord:1/5")
    elsewhere = submit(service, 2, chat="discord:2/5")
    service.chats.change("discord:1/5", auto=True)
    service.chats.leave("discord:1")
    service.maintenance().clear()
    assert service.captions.get(here.id, person=ANN)
    with sessions.begin() as session:
        for chat in session.query(Chat):
            chat.left_at = chat.left_at and chat.left_at - 8 * DAY
        session.get(Caption, here.row).created_at = now() - 9 * DAY
    service.maintenance().clear()
    with pytest.raises(NotFound):
        service.captions.get(here.id, person=ANN)
    assert service.captions.get(elsewhere.id, person=ANN)


def test_files_that_no_row_knows_are_swept_away(service, store):
    submit(service)
    store.save(b"left behind by a crash", "ab" * 32)
    assert service.maintenance().sweep() == 1
    assert len(list(store.names())) == 1


def test_a_database_that_does_not_answer_for_a_while_does_not_end_it(service, queued, sessions, start, alive, caplog):
    submitted = submit(service)
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE leases RENAME TO away"))
    try:
        start(lost_after=timedelta(0))
        until(lambda: "tried again" in caplog.text)
    finally:
        with sessions.begin() as session:
            session.execute(text("ALTER TABLE away RENAME TO leases"))
    until(lambda: queued.count(submitted.row) >= 2)
