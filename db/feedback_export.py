"""Exports feedback to a folder: records and small copies of the photos. feedback_format.md describes the files.

The same rows always give the same bytes, so the hash in the manifest shows whether anything has changed. An export
replaces the folder in one step. Exports contain personal data; kept_exports.py says how somebody is forgotten in them.
"""

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from db import kept_exports
from db.correction_review import judge_all
from db.feedback_formats import Format, write_json, write_tables
from db.feedback_records import FeedbackRecords, read_records
from db.feedback_schema import NAME, VERSION, PersonRecord
from db.kept_exports import MANIFEST
from db.photo_store import MissingPhoto, PhotoStore
from db.private_files import make_private, make_private_folder

PHOTOS, GUIDE = "photos", "README.md"
SIDE = 256  # pixels of the shorter side of a copy; the image encoder reads 224 x 224
QUALITY = 90  # JPEG quality of a copy


TRIES = 10


class NotAnExport(Exception):
    """The folder is not empty and contains no export. Choose another with --out."""


class Overtaken(Exception):
    """Again and again somebody was forgotten during the export. Try again later."""


@dataclass(frozen=True)
class Counts:
    """How many of each an export contains."""

    captions: int
    photos: int
    votes: int
    accepted: int  # corrections
    quarantined: int


@dataclass(frozen=True)
class Exported:
    """A written export.

    Attributes:
        hash: SHA-256 over the names and contents of all files except the manifest.
        suspicious: records of people whose votes do not count in full, with the reasons.
        number: of kept_exports.py.
    """

    folder: Path
    hash: str
    counts: Counts
    suspicious: list[PersonRecord]
    number: int


def export(
    sessions: sessionmaker[Session],
    store: PhotoStore,
    out: Path,
    *,
    format: Format = "jsonl",
    since: datetime | None = None,
    known: Collection[str] | None = None,
    kept: bool = True,
) -> Exported:
    """Review the corrections again, then write the folder `out`. An export that is already there is replaced.

    Photos whose files have been deleted are left out.

    Args:
        since: only feedback given from then on; None for all.
        known: the model's vocabulary, which is used to find sentences in other languages.
        kept: False for an export that the caller deletes as soon as it was sent to somebody.

    Raises:
        NotAnExport: `out` contains other files.
        Overtaken: during each of ten tries somebody in it was forgotten.
    """
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise NotAnExport(f"{out} is not empty and contains no export; choose another folder")
    with sessions.begin() as session:
        judge_all(session, known)
    make_private_folder(out.parent)
    for _ in range(TRIES):
        if exported := _try_export(sessions, store, out, format, since, kept):
            return exported
    raise Overtaken(Overtaken.__doc__)


def _try_export(
    sessions: sessionmaker[Session], store: PhotoStore, out: Path, format: Format, since: datetime | None, kept: bool
) -> Exported | None:
    """Export once. Returns None, and leaves nothing, if somebody in it was forgotten meanwhile."""
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    number = None
    try:
        with sessions.begin() as session:
            kept_exports.lock(session)
            feedback = read_records(session, since)
            number = kept_exports.begin(session, out, draft, feedback.person_ids())
        exported = _write(feedback, store, out, draft, format, since, number)
        with sessions.begin() as session:
            if not kept_exports.complete(session, number, kept=kept):
                return None
            _replace(draft, out)
        return exported
    except BaseException as error:
        with sessions.begin() as session:
            withdrawn = number is not None and not kept_exports.holds(session, number)
            if number is not None:
                kept_exports.give_up(session, number)
        if withdrawn and isinstance(error, OSError):  # forgetting deleted the draft under our hands
            return None
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(
    feedback: FeedbackRecords,
    store: PhotoStore,
    out: Path,
    draft: Path,
    format: Format,
    since: datetime | None,
    number: int,
) -> Exported:
    """Write all files of an export into `draft`."""
    feedback = feedback.of_photos(_copy_photos(store, feedback.photos, draft / PHOTOS))
    write_tables(feedback, format, draft)
    shutil.copy(Path(__file__).with_name("feedback_format.md"), draft / GUIDE)
    suspicious = [one for one in feedback.people if one["reasons"]]
    exported = Exported(out, _hash(draft), _count(feedback), suspicious, number)
    head = {"format": NAME, "version": VERSION, "tables": format, "since": since and since.isoformat()}
    body = {"hash": exported.hash, "counts": asdict(exported.counts), "people": feedback.person_ids()}
    write_json(draft / MANIFEST, head | body)
    make_private(draft)
    return exported


def archive(folder: Path, path: Path) -> None:
    """Pack an export into the ZIP file `path`."""
    shutil.make_archive(str(path.with_suffix("")), "zip", folder)


def _copy_photos(store: PhotoStore, photos: Mapping[int, str], folder: Path) -> dict[int, str]:
    """Write small copies of the photos. Returns those whose files exist."""
    folder.mkdir()
    kept = {}
    for row, sha256 in photos.items():
        try:
            data = store.read(sha256)
        except MissingPhoto:
            continue
        (folder / f"{sha256}.jpg").write_bytes(_small(data))
        kept[row] = sha256
    return kept


def _small(photo: bytes) -> bytes:
    with Image.open(io.BytesIO(photo)) as image:
        scale = SIDE / min(image.size)
        if scale >= 1:
            return photo
        small = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)), reducing_gap=2)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _count(feedback: FeedbackRecords) -> Counts:
    accepted = [correction["accepted"] for caption in feedback.captions for correction in caption["corrections"]]
    return Counts(
        captions=len(feedback.captions),
        photos=len(feedback.photos),
        votes=sum(len(caption["votes"]) for caption in feedback.captions),
        accepted=sum(accepted),
        quarantined=len(accepted) - sum(accepted),
    )


def _hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _replace(draft: Path, folder: Path) -> None:
    """Rename the draft to its place. An earlier export is first renamed, then deleted."""
    if not folder.exists():
        os.rename(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    os.rename(folder, old / folder.name)
    os.rename(draft, folder)
    shutil.rmtree(old)
