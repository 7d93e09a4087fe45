"""Which corrections are learnt from and remembered: a filter decides, and an admin has the last word."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.correction_filter import copied, reason_against, words_of
from db.feedback import voters
from db.reliability import SUSPICIOUS
from db.tables import Caption, Correction, Review


class UnknownCorrection(Exception):
    """There is no correction with that number. `captionbot review` lists them."""


def verdict(text: str, shown: str, known: Collection[str] | None = None) -> tuple[Review, str | None]:
    """Of a sentence by its form alone, and why not; for `corrections.correct`. known: the model's words."""
    reason = reason_against(text, shown, known)
    return (Review.QUARANTINED if reason else Review.ACCEPTED), reason


def judge_all(session: Session, known: Collection[str] | None = None) -> None:
    """Judge anew all that no admin decided on, now knowing the others too: copies, and writers nobody agrees with.

    Without the words that the model knows, no quarantine is lifted.
    """
    rows = session.scalars(select(Correction).options(joinedload(Correction.caption)).order_by(Correction.id)).all()
    copies = copied([(row.person_id, row.caption.photo_id, row.text) for row in rows])
    suspicious = {person for person, trust in voters(session).items() if trust.weight < SUSPICIOUS}
    for row in rows:
        if row.reviewed_by or (known is None and row.review == Review.QUARANTINED):
            continue
        _, reason = verdict(row.text, row.caption.text or "", known)
        if not reason and (row.person_id, " ".join(words_of(row.text))) in copies:
            reason = "the same sentence for several photos"
        if not reason and row.person_id in suspicious:
            reason = "its writer's votes are suspicious"
        row.review, row.reason = (Review.QUARANTINED if reason else Review.ACCEPTED), reason


def waiting(session: Session, review: Review, limit: int = 100) -> list[Correction]:
    """Corrections that no admin decided on, with their captions; the oldest first."""
    rows = select(Correction).where(Correction.review == review, Correction.reviewed_by.is_(None))
    with_caption = rows.options(joinedload(Correction.caption).joinedload(Caption.photo), joinedload(Correction.person))
    return list(session.scalars(with_caption.order_by(Correction.id).limit(limit)))


def decide(session: Session, id: int, accepted: bool, by: str) -> Correction:
    """An admin's word: learnt from and remembered for everybody, or neither. Raises UnknownCorrection."""
    row = session.get(Correction, id)
    if row is None:
        raise UnknownCorrection(f"there is no correction {id}")
    row.review = Review.ACCEPTED if accepted else Review.QUARANTINED
    row.reason = None if accepted else row.reason or "turned down"
    row.reviewed_by = by
    return row
