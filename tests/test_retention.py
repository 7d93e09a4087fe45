"""Retention: what is deleted when, and what stays because somebody still needs it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from db import photos, retention
from db.photo_store import MissingPhoto, PhotoStore
from db.tables import Caption, Chat, Photo, State, now
from tests.support.factories import make_caption, make_correction, make_person, make_photo, make_vote

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
Sessions = sessionmaker[Session]


def send(
    sessions: Sessions, store: PhotoStore, age: timedelta, *, agreed: bool | None = None, **columns: object
) -> Caption:
    """A captioned photo that was sent so long ago."""
    with sessions.begin() as session:
        photo = make_photo(session, store, last_sent_at=now() - age)
        make_person(session, "web:sender", training_consent=agreed)
        return make_caption(session, "web:sender", **{"photo": photo, "text": "a dog"} | columns)


def drop(sessions: Sessions, store: PhotoStore) -> int:
    return retention.drop_old_photos(sessions, store, DAY, YEAR)


def vote(sessions: Sessions, caption: Caption, person: str = "web:sender") -> None:
    with sessions.begin() as session:
        make_vote(session, session.get_one(Caption, caption.id), person=person)


# Photos


def test_an_old_photo_loses_its_file_and_keeps_its_text(sessions: Sessions, store: PhotoStore):
    caption = send(sessions, store, 2 * DAY)
    assert drop(sessions, store) == 1
    assert list(store.names()) == []
    with sessions() as session:
        row = session.get_one(Caption, caption.id)
        assert row.text == "a dog"
        assert row.photo.dropped_at is not None
    assert drop(sessions, store) == 0


def test_a_photo_that_was_sent_lately_stays(sessions: Sessions, store: PhotoStore):
    send(sessions, store, DAY / 2)
    assert drop(sessions, store) == 0


def test_a_photo_whose_caption_is_still_awaited_stays(sessions: Sessions, store: PhotoStore):
    send(sessions, store, 2 * DAY, state=State.QUEUED)
    assert drop(sessions, store) == 0


@pytest.mark.parametrize("feedback", ["vote", "correction"])
def test_feedback_keeps_a_photo_for_longer_if_its_sender_agreed(sessions: Sessions, store: PhotoStore, feedback: str):
    for age in (2 * DAY, 2 * YEAR):
        caption = send(sessions, store, age, agreed=True)
        with sessions.begin() as session:
            row = session.get_one(Caption, caption.id)
            make_vote(session, row) if feedback == "vote" else make_correction(session, row)
    assert drop(sessions, store) == 1
    assert len(list(store.names())) == 1


@pytest.mark.parametrize("agreed", [None, False])
def test_without_the_senders_consent_nobodys_vote_keeps_a_photo(
    sessions: Sessions, store: PhotoStore, agreed: bool | None
):
    caption = send(sessions, store, 2 * DAY, agreed=agreed)
    with sessions.begin() as session:
        make_person(session, "web:voter", training_consent=True)
    vote(sessions, caption, "web:voter")
    assert drop(sessions, store) == 1


def test_consent_without_feedback_keeps_no_photo(sessions: Sessions, store: PhotoStore):
    send(sessions, store, 2 * DAY, agreed=True)
    assert drop(sessions, store) == 1


def test_a_photo_that_is_sent_again_is_kept_anew(sessions: Sessions, store: PhotoStore):
    data = b"photo"
    sha256 = hashlib.sha256(data).hexdigest()
    with sessions.begin() as session:
        make_photo(session, store, data, last_sent_at=now() - 2 * DAY)
    assert drop(sessions, store) == 1
    with sessions.begin() as session:
        photo = photos.save(session, store, data, sha256, 4, 3)
        assert photo.dropped_at is None
    assert store.read(sha256) == data
    assert drop(sessions, store) == 0


def test_a_photo_sent_again_while_it_is_dropped_is_not_lost(sessions: Sessions, store: PhotoStore):
    data = b"photo"
    sha256 = hashlib.sha256(data).hexdigest()

    def send_again() -> None:
        with sessions.begin() as session:
            photos.save(session, store, data, sha256, 4, 3)

    for _ in range(5):
        with sessions.begin() as session:
            photo = photos.save(session, store, data, sha256, 4, 3)
            photo.last_sent_at = now() - 2 * DAY
        with ThreadPoolExecutor(2) as threads:
            for future in [threads.submit(drop, sessions, store), threads.submit(send_again)]:
                future.result()
        assert store.read(sha256) == data
        with sessions() as session:
            assert session.scalars(select(Photo.dropped_at)).all() == [None]


# Files without rows


def test_files_that_no_row_knows_are_removed(sessions: Sessions, store: PhotoStore):
    caption = send(sessions, store, DAY / 2)
    store.save(b"orphan", "ab" * 32)
    assert retention.sweep_store(sessions, store) == 1
    assert list(store.names()) == [caption.photo.sha256]
    with sessions() as session:
        assert session.scalars(select(Photo.sha256)).all() == [caption.photo.sha256]


def test_a_file_whose_row_says_that_it_is_gone_is_removed(sessions: Sessions, store: PhotoStore):
    with sessions.begin() as session:
        photo = make_photo(session, store, dropped_at=now())
    assert retention.sweep_store(sessions, store) == 1
    with pytest.raises(MissingPhoto):
        store.read(photo.sha256)


def test_a_photo_that_is_being_sent_is_no_orphan(sessions: Sessions, store: PhotoStore):
    data = b"photo"
    sha256 = hashlib.sha256(data).hexdigest()

    def send_it() -> None:
        store.save(data, sha256)  # ahead of its row
        with sessions.begin() as session:
            photos.save(session, store, data, sha256, 4, 3)

    for _ in range(5):
        with ThreadPoolExecutor(2) as threads:
            for future in [threads.submit(send_it), threads.submit(retention.sweep_store, sessions, store)]:
                future.result()
        assert store.read(sha256) == data
        with sessions.begin() as session:
            session.delete(session.scalars(select(Photo)).one())


# Chats that the bot left


def test_a_chat_left_long_ago_goes_with_its_captions_and_photos(sessions: Sessions, store: PhotoStore):
    with sessions.begin() as session:
        session.add(Chat(key="discord:1", left_at=now() - 2 * DAY))
        session.add(Chat(key="discord:2", left_at=now()))
        before = {"created_at": now() - 3 * DAY}
        make_caption(session, photo=make_photo(session, store), chat="discord:1/5", **before)
        kept = [make_caption(session, photo=make_photo(session, store), chat=chat) for chat in ("discord:2", None)]
        kept.append(make_caption(session, photo=make_photo(session, store), chat="discord:1/5"))  # the bot is back
    assert retention.purge_left_chats(sessions, store, DAY) == 1
    with sessions() as session:
        assert session.scalars(select(Chat.key)).all() == ["discord:2"]
        assert session.scalars(select(Caption.id).order_by(Caption.id)).all() == [row.id for row in kept]
    assert set(store.names()) == {row.photo.sha256 for row in kept}
