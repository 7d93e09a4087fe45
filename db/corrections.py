"""Corrections: better sentences that people wrote. Each person has at most one for a caption, the latest."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Caption, Correction, Review, now
from db.upsert import insert


def correct(
    session: Session,
    caption_id: int,
    person_id: int,
    text: str,
    review: Review = Review.PENDING,
    reason: str | None = None,
) -> None:
    """Store a person's correction of a caption. It replaces an earlier one, and the decision about that one.

    Args:
        reason: why it is quarantined.
    """
    sentence = {"text": text, "review": review, "reason": reason, "reviewed_by": None, "written_at": now()}
    row = insert(session, Correction).values(caption_id=caption_id, person_id=person_id, **sentence)
    session.execute(row.on_conflict_do_update(index_elements=["caption_id", "person_id"], set_=sentence))


def own(session: Session, photo_ids: Iterable[int], person_id: int) -> dict[int, str]:
    """What a person last wrote about each of these photos, for whichever of its captions: photo id -> sentence.

    Their sentence describes the photo, so it stays valid for every other caption of it.
    """
    written = (
        select(Caption.photo_id, Correction.text)
        .join(Correction.caption)
        .where(Correction.person_id == person_id, Caption.photo_id.in_(set(photo_ids)))
        .order_by(Correction.written_at, Correction.id)
    )
    return dict(session.execute(written).all())  # the last one of a photo stays
