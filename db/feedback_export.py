"""Feedback as a folder of files: what people said, and small copies of the photos. feedback_format.md describes them.

The same rows give the same bytes, so an export can be repeated, and the hash in its manifest tells whether anything
changed. It is written whole or not at all. Exports hold people's data: `drop_exports` removes those a person is in.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from db.feedback import Feedback, read_feedback
from db.feedback_tables import Format, write_json, write_tables
from db.photo_store import MissingPhoto, PhotoStore
from db.review import judge_all

NAME, VERSION = "captionbot-feedback", 1
MANIFEST, PHOTOS, GUIDE = "manifest.json", "photos", "README.md"
SIDE = 256  # pixels of the shorter side of a copy: the encoder sees 224 x 224
QUALITY = 90  # of the JPEG


class NotAnExport(Exception):
    """That folder holds something else than an export. Choose another with --out."""


@dataclass(frozen=True)
class Counts:
    captions: int
    photos: int
    votes: int
    accepted: int  # corrections
    quarantined: int


@dataclass(frozen=True)
class Exported:
    """What was written. hash: of all files; suspicious: the people whose votes do not count in full, and why."""

    folder: Path
    hash: str
    counts: Counts
    suspicious: list[dict[str, Any]]


def export(
    sessions: sessionmaker[Session],
    store: PhotoStore,
    out: Path,
    *,
    format: Format = "jsonl",
    since: datetime | None = None,
    known: Collection[str] | None = None,
) -> Exported:
    """Judge the corrections, then write the folder `out`, in place of an export that is there. Raises NotAnExport.

    known: the model's words, by which sentences in other languages are told. Photos whose files are gone are left out.
    """
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise NotAnExport(f"{out} holds something else than an export; choose another folder")
    with sessions.begin() as session:
        judge_all(session, known)
    with sessions() as session:
        feedback = read_feedback(session, since)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        draft.chmod(0o755)
        feedback = feedback.only(_copy_photos(store, feedback.photos, draft / PHOTOS))
        write_tables(feedback, format, draft)
        shutil.copy(Path(__file__).with_name("feedback_format.md"), draft / GUIDE)
        exported = Exported(out, _hash(draft), _count(feedback), [one for one in feedback.people if one["reasons"]])
        head = {"format": NAME, "version": VERSION, "tables": format, "since": since and since.isoformat()}
        body = {"hash": exported.hash, "counts": asdict(exported.counts), "people": feedback.everybody()}
        write_json(draft / MANIFEST, head | body)
        _replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return exported


def archive(folder: Path, path: Path) -> None:
    """An export as one ZIP file, to be sent somewhere."""
    shutil.make_archive(str(path.with_suffix("")), "zip", folder)


def drop_exports(folder: Path, person: int) -> int:
    """Remove the exports in a folder that hold anything of the person with this row. Returns how many."""
    manifests = sorted(folder.glob(f"*/{MANIFEST}"))
    theirs = [manifest.parent for manifest in manifests if person in json.loads(manifest.read_text())["people"]]
    for export in theirs:
        shutil.rmtree(export)
    return len(theirs)


def _copy_photos(store: PhotoStore, photos: Mapping[int, str], folder: Path) -> dict[int, str]:
    """Small copies of the photos. Returns those whose files were there."""
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


def _count(feedback: Feedback) -> Counts:
    accepted = [wrote["accepted"] for caption in feedback.captions for wrote in caption["corrections"]]
    return Counts(
        captions=len(feedback.captions),
        photos=len(feedback.photos),
        votes=sum(len(caption["votes"]) for caption in feedback.captions),
        accepted=sum(accepted),
        quarantined=len(accepted) - sum(accepted),
    )


def _hash(folder: Path) -> str:
    """Over the names and contents of all files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _replace(draft: Path, folder: Path) -> None:
    """Rename the draft into place; an export that is there steps aside first and is removed then."""
    if not folder.exists():
        os.rename(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    os.rename(folder, old / folder.name)
    os.rename(draft, folder)
    shutil.rmtree(old)
