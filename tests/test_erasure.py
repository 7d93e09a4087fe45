"""captionbot forget: what is deleted of a person, and what stays."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from db import erasure, people, photos
from db.erasure import Forgotten
from db.photo_store import PhotoStore
from db.tables import Base, Caption, Correction, Photo, Vote
from tests.support.factories import make_caption, make_correction, make_person, make_photo, make_vote


def number(sessions: sessionmaker[Session], table: type[Base]) -> int:
    with sessions() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_forgetting_removes_captions_votes_corrections_photos_and_the_person(
    sessions: sessionmaker[Session], store: PhotoStore
):
    with sessions.begin() as session:
        mine = make_caption(session, "telegram:1", photo=make_photo(session, store), text="a dog")
        other = make_caption(session, "telegram:2", photo=make_photo(session, store), text="a cat")
        make_vote(session, mine, person="telegram:2")  # goes with the caption
        make_vote(session, other, person="telegram:1")
        make_correction(session, other, person="telegram:1")
    assert erasure.forget(sessions, store, "telegram:1") == Forgotten(1, 1, 1, 1)
    assert (number(sessions, Vote), number(sessions, Correction)) == (0, 0)
    assert list(store.names()) == [other.photo.sha256]
    with sessions() as session:
        assert people.find(session, "telegram:1") is None
        assert session.scalars(select(Caption.id)).all() == [other.id]


def test_a_photo_that_another_person_sent_too_stays_theirs(sessions: sessionmaker[Session], store: PhotoStore):
    with sessions.begin() as session:
        photo = make_photo(session, store)
        make_caption(session, "telegram:1", photo=photo)
        theirs = make_caption(session, "telegram:2", photo=photo)
    assert erasure.forget(sessions, store, "telegram:1") == Forgotten(captions=1, photos=0)
    assert store.has(photo.sha256)
    with sessions() as session:
        assert session.get_one(Caption, theirs.id).photo_id == photo.id


def test_forgetting_somebody_unknown_or_a_second_time_does_nothing(sessions: sessionmaker[Session], store: PhotoStore):
    with sessions.begin() as session:
        make_caption(session, "telegram:1")
    assert erasure.forget(sessions, store, "telegram:1") != Forgotten()
    assert erasure.forget(sessions, store, "telegram:1") == Forgotten()
    assert erasure.forget(sessions, store, "telegram:12") == Forgotten()


def test_more_captions_than_go_in_one_step_are_all_forgotten(sessions: sessionmaker[Session], store: PhotoStore):
    with sessions.begin() as session:
        person, photo = make_person(session, "web:1"), make_photo(session, store)
        rows = [{"person_id": person.id, "photo_id": photo.id, "front_end": "web"}] * (2 * erasure.CHUNK + 1)
        session.execute(Caption.__table__.insert(), rows)
    assert erasure.forget(sessions, store, "web:1") == Forgotten(captions=2 * erasure.CHUNK + 1, photos=1)
    assert (number(sessions, Caption), number(sessions, Photo), list(store.names())) == (0, 0, [])


def test_deleting_a_caption_leaves_another_one_without_its_parent(session: Session):
    first = make_caption(session, text="a dog")
    second = make_caption(session, photo=first.photo, parent=first, rank=1)
    assert erasure.delete_captions(session, [first.id]) == []
    session.refresh(second)
    assert second.parent is None


def test_a_photo_sent_again_while_its_last_caption_is_deleted_is_not_lost(
    sessions: sessionmaker[Session], store: PhotoStore
):
    data = b"the same photo"
    sha256 = hashlib.sha256(data).hexdigest()

    def send(number: int) -> None:
        with sessions.begin() as session:
            photo = photos.save(session, store, data, sha256, 4, 3)
            make_caption(session, f"web:{number}", photo=photo)

    def forget(number: int) -> None:
        erasure.forget(sessions, store, f"web:{number}")

    for _ in range(5):
        send(0)
        with ThreadPoolExecutor(2) as threads:
            for future in [threads.submit(send, 1), threads.submit(forget, 0)]:
                future.result()
        assert store.read(sha256) == data
        with sessions() as session:
            assert session.scalars(select(Photo.sha256)).all() == [sha256]
        forget(1)
        assert not store.has(sha256)
