"""Which exports are kept, and whose data is in them: so that forgetting finds every copy, also one being written.

Exporting and forgetting are ordered by one lock, which each holds for a moment. An export reads the rows and enters
itself here in one transaction. Forgetting deletes the rows, and takes the exports with the person from here, in one
too. So either forgetting finds the export, or the export does not contain the person. An export that was taken away
while it was being written notices it before the folder gets its name.
"""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.tables import KeptExport, now

LOCK = 4_170_322  # key of the PostgreSQL advisory lock; an arbitrary number
ABANDONED = timedelta(days=1)  # after which an export is no longer being written: its process died
MANIFEST = "manifest.json"


def lock(session: Session) -> None:
    """Wait until no other transaction exports or forgets. SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def begin(session: Session, folder: Path, draft: Path, people: list[int]) -> int:
    """Enter an export that is being written, after `lock`. Returns its number."""
    row = KeptExport(folder=str(folder.resolve()), draft=str(draft.resolve()), people=people)
    session.add(row)
    session.flush()
    return row.id


def complete(session: Session, number: int, *, kept: bool) -> bool:
    """Note that an export gets its name in this transaction; earlier ones in its folder are replaced.

    Args:
        kept: False for one that is deleted as soon as it was sent to somebody.

    Returns:
        False if somebody in it was forgotten meanwhile: then it must not be used.
    """
    lock(session)
    row = session.get(KeptExport, number)
    if row is None:
        return False
    row.draft = None
    others = KeptExport.id != number if kept else KeptExport.id.is_not(None)
    session.execute(delete(KeptExport).where(KeptExport.folder == row.folder, KeptExport.draft.is_(None), others))
    return True


def holds(session: Session, number: int) -> bool:
    """Whether the export is still there as it was made: nobody in it was forgotten, and no other one replaced it."""
    return session.get(KeptExport, number) is not None


def give_up(session: Session, number: int) -> None:
    """Remove the entry of an export that failed."""
    session.execute(delete(KeptExport).where(KeptExport.id == number))


def is_kept(session: Session, folder: str) -> bool:
    """Whether an export without anybody forgotten has this folder by now, or is being written in it."""
    complete = (KeptExport.folder == folder) & KeptExport.draft.is_(None)
    return session.scalar(select(KeptExport.id).where(complete | (KeptExport.draft == folder)).limit(1)) is not None


def withdraw(session: Session, person: int, exports: Path | None) -> list[str]:
    """Take away all exports with this person, after `lock`.

    Args:
        person: row id.
        exports: a folder that may hold exports which are not entered here, because an earlier version wrote them.

    Returns:
        The folders to delete after the commit, of exports and of drafts. A damaged export counts as one with them, and
        a draft that a process left behind when it died does too.
    """
    folders: list[str] = []
    entered: set[str] = set()
    for row in session.scalars(select(KeptExport)).all():
        entered |= {row.folder, row.draft or row.folder}
        if row.draft is None and person in row.people:
            folders.append(row.folder)
        elif row.draft is not None and (person in row.people or row.created_at < now() - ABANDONED):
            folders.append(row.draft)
            session.delete(row)
            if _may_contain(Path(row.folder), person):  # its process died when the folder had just got its name
                folders.append(row.folder)
    session.execute(delete(KeptExport).where(KeptExport.folder.in_(folders), KeptExport.draft.is_(None)))
    if exports is not None and exports.is_dir():
        others = [path for path in sorted(exports.resolve().iterdir()) if path.is_dir() and str(path) not in entered]
        folders += [str(path) for path in others if _may_contain(path, person)]
    return folders


def delete_folder(folder: Path) -> bool:
    """Delete an export. Returns False if it seems to be on another machine: not even its parent is here."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    return folder.parent.exists()


def _may_contain(folder: Path, person: int) -> bool:
    """Whether the export in a folder contains the person, or cannot tell. A folder that is no export does not."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return folder.name.startswith(".")  # a draft
    try:
        read: Any = json.loads(manifest.read_text(encoding="utf-8"))
        return person in read["people"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True
