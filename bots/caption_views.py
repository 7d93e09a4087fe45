"""From rows to what people see of them."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy.orm import Session

from bots.views import CaptionView, Preferences, VoteCount
from db import corrections, people, votes
from db.tables import Caption, Person

CHOSEN = {field.name for field in fields(Preferences)} - {"training_consent"}


def preferences_of(person: Person | None) -> Preferences:
    """What a person chose. A choice that this version does not know is left out."""
    if person is None:
        return Preferences()
    chosen = {name: value for name, value in person.preferences.items() if name in CHOSEN}
    return Preferences(**chosen, training_consent=person.training_consent)


def caption_views(
    session: Session, captions: Sequence[Caption], person: str | None, ask_consent: bool = False
) -> list[CaptionView]:
    """In the same order. person: whose own thumbs and corrections are wanted."""
    viewer = people.find(session, person) if person else None
    ids = [caption.id for caption in captions]
    thumbs = votes.thumbs(session, ids, viewer.id if viewer else None)
    own = corrections.own(session, ids, viewer.id) if viewer else {}
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
            parent=caption.parent.public_id if caption.parent else None,
            votes=VoteCount(**vars(thumbs[caption.id])),
            correction=own.get(caption.id),
            created_at=caption.created_at,
            finished_at=caption.finished_at,
            has_photo=caption.photo.dropped_at is None,
            front_end=caption.front_end,
            sender=caption.person.key,
            chat=caption.chat,
            reply_to=caption.reply_to,
            message=caption.message,
            ask_consent=ask_consent,
        )
        for caption in captions
    ]


def _text(caption: Caption) -> str | None:
    """The sentence as its sender prefers it: hedged, or plain."""
    if caption.hedged and caption.words and not preferences_of(caption.person).hedging:
        plain = " ".join(caption.words)
        return f"{plain[:1].upper()}{plain[1:]}."
    return caption.text
