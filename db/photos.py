"""Rows of photos, and how they and their files stay together.

A file is written and removed only while its row is locked, so that a photo sent again is never lost to one that is
being cleared away. A crash leaves at worst a file without a row, which `drop_orphan` removes.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, sessionmaker

from db.photo_store import PhotoStore
from db.tables import Caption, Photo, now
from db.upsert import insert


def keep(
    session: Session,
    store: PhotoStore,
    data: bytes,
    sha256: str,
    width: int,
    height: int,
    perceptual_hash: str | None = None,
) -> Photo:
    """The row of a photo that someone sends, new or known, and its file. Raises StoreFull.

    For slow stores save the file before the transaction too: here it is only written if it is not there.
    """
    sent: dict[str, Any] = {"last_sent_at": now(), "dropped_at": None}
    if perceptual_hash is not None:
        sent["perceptual_hash"] = perceptual_hash
    first = {"sha256": sha256, "width": width, "height": height, "bytes": len(data), "created_at": sent["last_sent_at"]}
    row = insert(session, Photo).values(**first, **sent)
    row = row.on_conflict_do_update(index_elements=["sha256"], set_=sent)
    photo = session.scalars(row.returning(Photo), execution_options={"populate_existing": True}).one()
    store.save(data, sha256)
    return photo


def delete_unused(session: Session, ids: Iterable[int]) -> list[str]:
    """Delete rows of photos that no caption needs. Returns their SHA-256: `drop_orphan` each after the commit."""
    wanted = list(ids)
    # Two steps: the second one sees captions that came while the first one waited for a lock.
    session.execute(select(Photo.id).where(Photo.id.in_(wanted)).order_by(Photo.id).with_for_update())
    unused = delete(Photo).where(Photo.id.in_(wanted), ~exists().where(Caption.photo_id == Photo.id))
    return list(session.scalars(unused.returning(Photo.sha256)))


def drop_orphan(sessions: sessionmaker[Session], store: PhotoStore, sha256: str) -> bool:
    """Remove a file that has no row, or one that says it is gone. False, and nothing is done, if it has a row."""
    with sessions() as session:  # ends without a commit
        # A row of our own holds the place: who sends the same photo now waits, and then writes the file again.
        place = insert(session, Photo).values(sha256=sha256, width=0, height=0, bytes=0)
        placed = session.scalar(place.on_conflict_do_nothing(index_elements=["sha256"]).returning(Photo.id))
        gone = select(Photo.id).where(Photo.sha256 == sha256, Photo.dropped_at.is_not(None))
        orphan = placed is not None or session.scalar(gone.with_for_update(key_share=True)) is not None
        if orphan:
            store.drop(sha256)
        return orphan
