"""Deletes photos and the data of left chats after their retention times.

Each photo is deleted in a transaction of its own, so that other writers do not wait long. Running these functions
twice, or in two processes at once, is harmless; a lease (leases.py) only avoids duplicate work.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session, sessionmaker

from db import chats, photos
from db.erasure import delete_captions
from db.photo_store import PhotoStore
from db.tables import Caption, Chat, Correction, Person, Photo, State, Vote, now

CHUNK = 500  # photos looked up by one query
DRAFT_AGE = 3600.0  # seconds after which an unfinished file is deleted


def drop_old_photos(
    sessions: sessionmaker[Session], store: PhotoStore, retention: timedelta, feedback_retention: timedelta
) -> int:
    """Delete the files of photos that nobody has sent for `retention`. The rows and captions stay.

    Photos that were voted on or corrected and whose sender agreed to training are kept for `feedback_retention`.

    Returns:
        How many files were deleted.
    """
    dropped = 0
    with sessions() as session:
        ids = session.scalars(select(Photo.id).where(_old(retention, feedback_retention))).all()
    for id in ids:
        with sessions.begin() as session:
            again = select(Photo).where(Photo.id == id, _old(retention, feedback_retention))
            photo = session.scalar(again.with_for_update(key_share=True))
            if photo is not None:  # None: it was sent again meanwhile
                store.drop(photo.sha256)
                photo.dropped_at = now()
                dropped += 1
    return dropped


def sweep_store(sessions: sessionmaker[Session], store: PhotoStore) -> int:
    """Delete files that no row refers to, which crashes leave behind. Lists the whole store. Returns how many."""
    store.clear_drafts(DRAFT_AGE)
    names = list(store.names())
    dropped = 0
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        with sessions() as session:
            kept = select(Photo.sha256).where(Photo.sha256.in_(chunk), Photo.dropped_at.is_(None))
            unknown = set(chunk).difference(session.scalars(kept))
        dropped += photos.drop_orphans(sessions, store, sorted(unknown))
    return dropped


def purge_left_chats(sessions: sessionmaker[Session], store: PhotoStore, grace: timedelta) -> int:
    """Delete chats that the bot left at least `grace` ago, and their captions from before. Returns how many chats."""
    with sessions.begin() as session:
        left = session.scalars(select(Chat).where(Chat.left_at < now() - grace).with_for_update()).all()
        files = [name for chat in left for name in _delete_captions_of(session, chat)]
        session.execute(delete(Chat).where(Chat.id.in_([chat.id for chat in left])))
    photos.drop_orphans(sessions, store, files)
    return len(left)


def _old(retention: timedelta, feedback_retention: timedelta) -> ColumnElement[bool]:
    at = now()
    agreed = select(Caption.id).join(Person).where(Caption.photo_id == Photo.id, Person.training_consent.is_(True))
    rated = or_(
        select(Vote.id).where(Vote.caption_id == Caption.id).exists(),
        select(Correction.id).where(Correction.caption_id == Caption.id).exists(),
    )
    awaited = select(Caption.id).where(Caption.photo_id == Photo.id, Caption.state.in_([State.QUEUED, State.RUNNING]))
    kept = and_(Photo.last_sent_at >= at - feedback_retention, agreed.where(rated).exists())
    return and_(Photo.dropped_at.is_(None), Photo.last_sent_at < at - retention, ~kept, ~awaited.exists())


def _delete_captions_of(session: Session, chat: Chat) -> list[str]:
    here = chats.at_or_below(Caption.chat, chat.key)
    return delete_captions(session, session.scalars(select(Caption.id).where(here, Caption.created_at <= chat.left_at)))
