"""Makes views of captions from their rows."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bots.service.views import CaptionView, VoteCount
from db import corrections, people, votes
from db.tables import Caption


def caption_views(
    session: Session, captions: Sequence[Caption], person: str | None, *, label: bool, ask_consent: bool = False
) -> list[CaptionView]:
    """Views of captions, in the same order.

    Args:
        person: whose own votes and corrections are included.
        label: whether captions of models are labelled.
    """
    viewer = people.find(session, person) if person else None
    ids = [caption.id for caption in captions]
    thumbs = votes.thumbs(session, ids, viewer.id if viewer else None)
    own = corrections.own(session, [caption.photo_id for caption in captions], viewer.id) if viewer else {}
    return [
        CaptionView(
            id=caption.public_id,
            row=caption.id,
            state=caption.state,
            text=_text(caption),
            error=caption.error,
            confidence=caption.confidence,
            hedged=caption.hedged,
            is_photo=caption.is_photo,
            words=tuple(caption.words or ()),
            alternatives=tuple(caption.alternatives or ()),
            attention=caption.attention,
            model=caption.model_version,
            rank=caption.rank,
            album=caption.album,
            position=caption.position,
            file_name=caption.file_name,
            parent=caption.parent.public_id if caption.parent else None,
            votes=VoteCount(**vars(thumbs[caption.id])),
            correction=own.get(caption.photo_id),
            created_at=caption.created_at,
            finished_at=caption.finished_at,
            has_photo=caption.photo.dropped_at is None,
            front_end=caption.front_end,
            sender=caption.person.key,
            chat=caption.chat,
            reply_to=caption.reply_to,
            message=caption.message,
            ask_consent=ask_consent,
            labelled=label and caption.is_photo and caption.model_version is not None,
        )
        for caption in captions
    ]


def _text(caption: Caption) -> str | None:
    """The sentence, hedged or plain as its sender prefers."""
    if caption.hedged and caption.words and not caption.person.preferences.hedging:
        plain = " ".join(caption.words)
        return f"{plain[:1].upper()}{plain[1:]}."
    return caption.text
