"""Keeps the rows of photos and their files consistent.

A file is written and deleted only while its row is locked, so a photo that is sent again is not lost while its file
is being deleted. A crash leaves at worst a file without a row, which `drop_orphans` deletes.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, delete, exists, select
from sqlalchemy.orm import Session, sessionmaker

from db.engine import reading
from db.photo_store import PhotoStore
from db.tables import Caption, Photo, now
from db.upsert import insert


def open_store(url: str, engine: Engine) -> PhotoStore:
    """The photo store of a database. It is away if it has none of the photos that the database knows.

    Raises:
        UnusableStore
    """
    store = PhotoStore(url)
    with reading(engine)() as session:
        store.expect(session.scalar(select(Photo.id).where(Photo.dropped_at.is_(None)).limit(1)) is not None)
    return store


def save(
    session: Session,
    store: PhotoStore,
    data: bytes,
    sha256: str,
    width: int,
    height: int,
    perceptual_hash: str | None = None,
) -> Photo:
    """Insert or update the row of a photo that was sent, and write its file if it is missing. Raises StoreUnavailable.

    Save the file before the transaction as well: then a damaged one is repaired, and nothing is written here, which may
    be slow. Here only a file that was deleted meanwhile is written again.
    """
    sent: dict[str, Any] = {"last_sent_at": now(), "dropped_at": None}
    if perceptual_hash is not None:
        sent["perceptual_hash"] = perceptual_hash
    first = {"sha256": sha256, "width": width, "height": height, "bytes": len(data), "created_at": sent["last_sent_at"]}
    row = insert(session, Photo).values(**first, **sent)
    row = row.on_conflict_do_update(index_elements=["sha256"], set_=sent)
    photo = session.scalars(row.returning(Photo), execution_options={"populate_existing": True}).one()
    store.save(data, sha256, verify=False)
    return photo


def delete_unused(session: Session, ids: Iterable[int]) -> list[str]:
    """Delete those rows of photos that no caption refers to.

    Returns:
        SHA-256 of each. Pass them to `drop_orphans` after the commit.
    """
    wanted = list(ids)
    # Two statements: the second one sees captions that were inserted while the first one waited for the locks.
    session.execute(select(Photo.id).where(Photo.id.in_(wanted)).order_by(Photo.id).with_for_update())
    unused = delete(Photo).where(Photo.id.in_(wanted), ~exists().where(Caption.photo_id == Photo.id))
    return list(session.scalars(unused.returning(Photo.sha256)))


def drop_orphans(sessions: sessionmaker[Session], store: PhotoStore, names: Iterable[str]) -> int:
    """Delete those of these files that have no row, or whose row is marked as dropped. Returns how many."""
    return sum(_drop_orphan(sessions, store, sha256) for sha256 in names)


def _drop_orphan(sessions: sessionmaker[Session], store: PhotoStore, sha256: str) -> bool:
    """Delete one file; see `drop_orphans`. Returns False if its row needs it."""
    with sessions() as session:  # not committed, so the placeholder row disappears again
        # A placeholder row: whoever sends the same photo now waits for its lock, and then writes the file again.
        placeholder = insert(session, Photo).values(sha256=sha256, width=0, height=0, bytes=0)
        inserted = session.scalar(placeholder.on_conflict_do_nothing(index_elements=["sha256"]).returning(Photo.id))
        dropped = select(Photo.id).where(Photo.sha256 == sha256, Photo.dropped_at.is_not(None))
        orphan = inserted is not None or session.scalar(dropped.with_for_update(key_share=True)) is not None
        if orphan:
            store.drop(sha256)
        return orphan
