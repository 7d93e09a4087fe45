"""Deletes the data of a person: a job that survives interruption.

The first step is one transaction: it deletes the rows, and lists what is left to delete, which are files of photos that
no row needs and exports with the person. The rest can be done by anybody at any time, and is: by `finish`, at once, and
again by maintenance until nothing is left. So a crash, a photo store that is away or a folder that cannot be deleted
delays forgetting, and does not end it half done.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from db import caption_search, correction_memory, kept_exports, photos
from db.engine import checkpoint
from db.photo_store import PhotoStore
from db.tables import Caption, Correction, Erasure, Person, Vote, now

log = logging.getLogger(__name__)

CHUNK = 500  # rows that are deleted at once
UNREACHABLE = timedelta(days=30)  # after which a folder on a machine where nobody finishes is only logged


@dataclass(frozen=True)
class Forgotten:
    """How many of each were deleted. Votes and corrections are those that the person gave, on anybody's captions.

    Attributes:
        left: photos and exports that could not be deleted yet; of everybody, if the person is unknown by now.
            Maintenance goes on until there are none.
    """

    captions: int = 0
    photos: int = 0
    votes: int = 0
    corrections: int = 0
    exports: int = 0
    left: int = 0


def forget(sessions: sessionmaker[Session], store: PhotoStore, key: str, exports: Path | None = None) -> Forgotten:
    """Delete a person with their captions, votes, corrections and preferences, and the photos that only they sent.

    Args:
        key: the person's key.
        exports: a folder that may hold exports of earlier versions, which are not listed in the database.
    """
    done, job = Forgotten(), None
    with sessions.begin() as session:
        kept_exports.lock(session)
        person = session.scalar(select(Person).where(Person.key == key).with_for_update())
        if person is not None:
            done, job = _forget_rows(session, person, exports)
    left = finish(sessions, store)
    return replace(done, left=left if job is None else _left(sessions, job.id))


def _forget_rows(session: Session, person: Person, exports: Path | None) -> tuple[Forgotten, Erasure]:
    """Delete the rows of a person, and list what is left to delete."""
    votes = _count(session, Vote, person.id)
    corrections = _count(session, Correction, person.id)
    captions = session.scalars(select(Caption.id).where(Caption.person_id == person.id)).all()
    repeated = session.scalars(correction_memory.repeating(person.id)).all()
    files = delete_captions(session, {*captions, *repeated})
    folders = kept_exports.withdraw(session, person.id, exports)
    session.delete(person)  # foreign keys cascade to everything else
    job = Erasure(photos=files, folders=folders)
    session.add(job)
    return Forgotten(len(captions), len(files), votes, corrections, len(folders)), job


def _left(sessions: sessionmaker[Session], id: int) -> int:
    """How many photos and exports one job has not deleted yet."""
    with sessions() as session:
        job = session.get(Erasure, id)
        return len(job.photos) + len(job.folders) if job else 0


def finish(sessions: sessionmaker[Session], store: PhotoStore) -> int:
    """Delete what is left of everybody who was forgotten. Running it twice at the same time is harmless.

    Returns:
        How many photos and exports could not be deleted; the reasons are logged.
    """
    with sessions() as session:
        jobs = list(session.scalars(select(Erasure).order_by(Erasure.id)))
    left = sum(_finish(sessions, store, job) for job in jobs)
    if jobs:
        with sessions.begin() as session:
            caption_search.clean(session)
    if jobs and not checkpoint(sessions.kw["bind"]):
        log.info("the database's write-ahead log is in use; it is emptied later")
    return left


def _finish(sessions: sessionmaker[Session], store: PhotoStore, job: Erasure) -> int:
    names = [name for name in job.photos if not _succeeds("a photo", name, partial(_drop, sessions, store, name))]
    folders = [name for name in job.folders if not _succeeds("an export", name, partial(_delete, sessions, name))]
    if folders and job.asked_at < now() - UNREACHABLE:
        log.error("delete by hand, it contains somebody who was forgotten: %s", ", ".join(folders))
        folders = []
    with sessions.begin() as session:
        row = session.get(Erasure, job.id, with_for_update=True)
        if row is not None and (names or folders):
            row.photos, row.folders = names, folders
        elif row is not None:
            session.delete(row)
    return len(names) + len(folders)


def _succeeds(what: str, name: str, task: Callable[[], bool]) -> bool:
    try:
        return task()
    except Exception as error:  # of the store's library, of the disk: it is tried again
        reason = " ".join(str(error).split()) or type(error).__name__
        log.warning("%s of somebody who was forgotten cannot be deleted yet: %s: %s", what, name, reason)
        return False


def _drop(sessions: sessionmaker[Session], store: PhotoStore, sha256: str) -> bool:
    photos.drop_orphans(sessions, store, [sha256])
    return True


def _delete(sessions: sessionmaker[Session], folder: str) -> bool:
    """Delete an export, unless a new one without the person is in its place."""
    with sessions() as session:
        if kept_exports.is_kept(session, folder):
            return True
    return kept_exports.delete_folder(Path(folder))


def delete_captions(session: Session, ids: Iterable[int]) -> list[str]:
    """Delete captions with their votes and corrections, and the rows of photos that no caption needs any more.

    Returns:
        SHA-256 of these photos. Pass them to `photos.drop_orphans` after the commit.
    """
    rows, files = sorted(ids), []
    for start in range(0, len(rows), CHUNK):
        these = Caption.id.in_(rows[start : start + CHUNK])
        session.execute(select(Caption.id).where(these).order_by(Caption.id).with_for_update())
        used = session.scalars(delete(Caption).where(these).returning(Caption.photo_id))
        files += photos.delete_unused(session, set(used))
    return files


def _count(session: Session, table: type[Vote] | type[Correction], person_id: int) -> int:
    return session.scalars(select(func.count()).select_from(table).where(table.person_id == person_id)).one()
