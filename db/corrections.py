"""Better sentences that people wrote. One a person and caption, the last one counts."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Correction, Review, now
from db.upsert import insert


def correct(
    session: Session,
    caption_id: int,
    person_id: int,
    text: str,
    review: Review = Review.PENDING,
    reason: str | None = None,
) -> None:
    """Keep a sentence; what was decided about an earlier one of the same person is void. reason: of a quarantine."""
    sentence = {"text": text, "review": review, "reason": reason, "reviewed_by": None, "written_at": now()}
    row = insert(session, Correction).values(caption_id=caption_id, person_id=person_id, **sentence)
    session.execute(row.on_conflict_do_update(index_elements=["caption_id", "person_id"], set_=sentence))


def own(session: Session, caption_ids: Iterable[int], person_id: int) -> dict[int, str]:
    """What a person wrote of these captions: caption -> sentence."""
    theirs = Correction.person_id == person_id, Correction.caption_id.in_(list(caption_ids))
    return dict(session.execute(select(Correction.caption_id, Correction.text).where(*theirs)).all())
