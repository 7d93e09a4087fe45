"""Reuses corrections without training: the same photo, or one that looks the same, gets the corrected sentence.

A correction is reused in the chat where it was written, and for everybody once an admin has accepted it
(correction_review.py). Its writer alone gets it whatever a filter or an admin thinks of it: it is theirs, and nobody
else sees it.
"""

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from db.correction_filter import words_of
from db.perceptual_hash import NEAR, distance
from db.tables import Caption, Correction, Photo, Review, State


def recall(session: Session, perceptual_hash: str, person_id: int, chat: str | None) -> Correction | None:
    """The correction to reuse for a photo with this hash, if there is one.

    The person's own corrections come first, then those of the chat, then those accepted for everybody; among these
    the one for the most similar photo, then the newest.
    """
    here = and_(Caption.chat.is_not(None), Caption.chat == chat)
    mine, accepted = Correction.person_id == person_id, Correction.review == Review.ACCEPTED
    allowed = accepted if chat else or_(accepted, mine)  # a chat sees what it gets, a person alone does not
    rows = session.execute(
        select(Correction.id, Photo.perceptual_hash, Correction.person_id, Caption.chat, Correction.written_at)
        .join(Correction.caption)
        .join(Caption.photo)
        .where(allowed, or_(mine, here, Correction.reviewed_by.is_not(None)))
    )
    found = []
    for id, hash, writer, written_in, written_at in rows:
        if hash and (bits := distance(perceptual_hash, hash)) <= NEAR:
            priority = 0 if writer == person_id else 1 if chat and written_in == chat else 2
            found.append((priority, bits, -written_at.timestamp(), id))
    return session.get(Correction, min(found)[-1]) if found else None


def as_caption(correction: Correction) -> Caption:
    """A finished caption with this sentence, for `caption_requests.create(known=...)`. Not added to the session."""
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
    """Ids of captions, of anybody, that repeat a person's corrections. They are deleted together with the person."""
    written = select(Correction.id).where(Correction.person_id == person_id)
    return select(Caption.id).where(Caption.remembered_from.in_(written))
