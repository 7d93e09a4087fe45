"""Review of corrections: a filter accepts or quarantines each one, and an admin can overrule it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.correction_filter import copied_sentences, rejection_reason, words_of
from db.feedback_records import voter_reliabilities
from db.tables import Caption, Correction, Review
from db.voter_reliability import SUSPICIOUS


class UnknownCorrection(Exception):
    """There is no correction with that number. `captionbot review` lists them."""


def verdict(text: str, shown: str, known: Collection[str] | None = None) -> tuple[Review, str | None]:
    """The filter's decision about one sentence, and the reason for a quarantine. known: the model's vocabulary."""
    reason = rejection_reason(text, shown, known)
    return (Review.QUARANTINED if reason else Review.ACCEPTED), reason


def judge_all(session: Session, known: Collection[str] | None = None) -> None:
    """Repeat the filter's decision for every correction that no admin has decided on.

    Unlike `verdict` this compares corrections with each other: it also quarantines sentences that one person wrote
    for several photos, and corrections by people whose votes are suspicious.

    Args:
        known: the model's vocabulary; without it no quarantine is lifted.
    """
    rows = session.scalars(select(Correction).options(joinedload(Correction.caption)).order_by(Correction.id)).all()
    copies = copied_sentences([(row.person_id, row.caption.photo_id, row.text) for row in rows])
    suspicious = {person for person, trust in voter_reliabilities(session).items() if trust.weight < SUSPICIOUS}
    for row in rows:
        if row.reviewed_by or (known is None and row.review == Review.QUARANTINED):
            continue
        _, reason = verdict(row.text, row.caption.text or "", known)
        if not reason and (row.person_id, " ".join(words_of(row.text))) in copies:
            reason = "the same sentence for several photos"
        if not reason and row.person_id in suspicious:
            reason = "its writer's votes are suspicious"
        row.review, row.reason = (Review.QUARANTINED if reason else Review.ACCEPTED), reason


def undecided(session: Session, review: Review, limit: int = 100) -> list[Correction]:
    """Corrections with this review that no admin has decided on, with their captions; oldest first."""
    rows = select(Correction).where(Correction.review == review, Correction.reviewed_by.is_(None))
    with_caption = rows.options(joinedload(Correction.caption).joinedload(Caption.photo), joinedload(Correction.person))
    return list(session.scalars(with_caption.order_by(Correction.id).limit(limit)))


def decide(session: Session, id: int, accepted: bool, by: str) -> Correction:
    """Store an admin's decision. An accepted correction is used for training and reused for everybody.

    Raises:
        UnknownCorrection: no correction has this id.
    """
    row = session.get(Correction, id)
    if row is None:
        raise UnknownCorrection(f"there is no correction {id}")
    row.review = Review.ACCEPTED if accepted else Review.QUARANTINED
    row.reason = None if accepted else row.reason or "turned down"
    row.reviewed_by = by
    return row
