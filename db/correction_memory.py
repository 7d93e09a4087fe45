"""What people corrected is said right the next time, without training: on the same photo, or one that looks the same.

A sentence is remembered for its writer and for the chat in which it was written; for everybody once an admin accepted
it (review.py).
"""

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from db.correction_filter import words_of
from db.perceptual_hash import NEAR, distance
from db.tables import Caption, Correction, Photo, Review, State


def recall(session: Session, perceptual_hash: str, person_id: int, chat: str | None) -> Correction | None:
    """The sentence for such a photo: first the person's own, then the chat's, then one for all; the nearest, newest."""
    here = and_(Caption.chat.is_not(None), Caption.chat == chat)
    rows = session.execute(
        select(Correction.id, Photo.perceptual_hash, Correction.person_id, Caption.chat, Correction.written_at)
        .join(Correction.caption)
        .join(Caption.photo)
        .where(
            Correction.review == Review.ACCEPTED,
            or_(Correction.person_id == person_id, here, Correction.reviewed_by.is_not(None)),
        )
    )
    found = []
    for id, theirs, writer, where, written_at in rows:
        if theirs and (bits := distance(perceptual_hash, theirs)) <= NEAR:
            whose = 0 if writer == person_id else 1 if chat and where == chat else 2
            found.append((whose, bits, -written_at.timestamp(), id))
    return session.get(Correction, min(found)[-1]) if found else None


def as_caption(correction: Correction) -> Caption:
    """A finished caption that says so, for `requests.create(known=...)`. It is not added to the session."""
    text = correction.text.strip()
    return Caption(
        text=f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}",
        words=words_of(text),
        hedged=False,
        is_photo=True,
        alternatives=[],
        state=State.DONE,
        remembered_from=correction.id,
    )


def repeating(person_id: int) -> Select[int]:
    """Ids of captions that repeat a person's sentences, whoever they were shown to. They go when the person goes."""
    written = select(Correction.id).where(Correction.person_id == person_id)
    return select(Caption.id).where(Caption.remembered_from.in_(written))
