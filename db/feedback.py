"""What people said of captions, as plain records: what an export writes and training learns from.

Only photos whose sender agreed are in it. A person is the number of their row, which means nothing outside this
database. What was deleted or forgotten has no rows, so it is in no record and moves no number.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from db.reliability import Cast, Reliability, reliability
from db.tables import Caption, Correction, Person, Photo, Review, State, Vote

HELD_OUT = 10  # one in so many photos and people is never trained on, only judged by


@dataclass(frozen=True)
class Feedback:
    """captions: a record each, in order of their rows; people: those who voted or corrected; photos: theirs, by row."""

    captions: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    photos: dict[int, str] = field(default_factory=dict)  # row -> SHA-256

    def only(self, photos: dict[int, str]) -> "Feedback":
        """What is about these photos."""
        kept = set(photos.values())
        captions = [caption for caption in self.captions if caption["photo"] in kept]
        raters = {one["person"] for caption in captions for one in (*caption["votes"], *caption["corrections"])}
        return Feedback(captions, [person for person in self.people if person["person"] in raters], photos)

    def everybody(self) -> list[int]:
        """The rows of all people of whom something is in it: senders, voters, correctors."""
        return sorted({caption["sender"] for caption in self.captions} | {person["person"] for person in self.people})


def held_out(key: str) -> bool:
    """Whether the photo with this SHA-256, or the person with this key, is held out. The answer never changes."""
    return int.from_bytes(hashlib.sha256(f"held out:{key}".encode()).digest()[:8]) % HELD_OUT == 0


def read_feedback(session: Session, since: datetime | None = None) -> Feedback:
    """All captions that were voted on or corrected, `since` then if it is given, with photos that are still there."""
    captions = list(session.scalars(_rated(since)).unique())
    trust = voters(session)
    people = {vote.person_id: vote.person for caption in captions for vote in caption.votes}
    people |= {wrote.person_id: wrote.person for caption in captions for wrote in caption.corrections}
    return Feedback(
        captions=[_caption(caption, trust) for caption in captions],
        people=[_person(people[id], trust.get(id)) for id in sorted(people)],
        photos={caption.photo_id: caption.photo.sha256 for caption in captions},
    )


def voters(session: Session) -> dict[int, Reliability]:
    """How far each person's votes are believed, judged by all of their votes on sentences of a model."""
    votes = select(Vote.person_id, Vote.caption_id, Vote.value, Vote.voted_at).join(Caption)
    return reliability([Cast(*row) for row in session.execute(votes.where(Caption.remembered_from.is_(None)))])


def _rated(since: datetime | None) -> Select[Caption]:
    voted: ColumnElement[bool] = Vote.caption_id == Caption.id
    written: ColumnElement[bool] = Correction.caption_id == Caption.id
    if since:
        voted, written = voted & (Vote.voted_at >= since), written & (Correction.written_at >= since)
    said = select(Caption).join(Caption.photo).join(Caption.person)
    said = said.where(
        Caption.state == State.DONE,
        Caption.remembered_from.is_(None),  # that sentence is a person's, not the model's
        Person.training_consent.is_(True),
        Photo.dropped_at.is_(None),
        select(Vote.id).where(voted).exists() | select(Correction.id).where(written).exists(),
    )
    with_all = (
        contains_eager(Caption.photo),
        selectinload(Caption.votes).joinedload(Vote.person),
        selectinload(Caption.corrections).joinedload(Correction.person),
    )
    return said.options(*with_all).order_by(Caption.id)


def _caption(caption: Caption, trust: Mapping[int, Reliability]) -> dict[str, Any]:
    """See feedback_format.md."""
    votes = sorted(caption.votes, key=lambda vote: vote.person_id)
    weights = {vote.person_id: trust[vote.person_id].weight for vote in votes}
    return {
        "caption": caption.id,
        "photo": caption.photo.sha256,
        "held_out": held_out(caption.photo.sha256),
        "sender": caption.person_id,
        "text": caption.text,
        "words": caption.words or [],
        "confidence": caption.confidence,
        "hedged": caption.hedged,
        "is_photo": caption.is_photo,
        "model": caption.model_version,
        "rank": caption.rank,
        "shown": caption.created_at.isoformat(timespec="seconds"),
        "up": sum(vote.value > 0 for vote in votes),
        "down": sum(vote.value < 0 for vote in votes),
        "weighted_up": round(sum(weights[vote.person_id] for vote in votes if vote.value > 0), 4),
        "weighted_down": round(sum(weights[vote.person_id] for vote in votes if vote.value < 0), 4),
        "votes": [
            {
                "person": vote.person_id,
                "value": vote.value,
                "weight": weights[vote.person_id],
                "held_out": held_out(vote.person.key),
            }
            for vote in votes
        ],
        "corrections": _corrections(caption.corrections),
    }


def _corrections(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    return [
        {
            "person": wrote.person_id,
            "text": wrote.text,
            "accepted": wrote.review == Review.ACCEPTED,
            "reason": wrote.reason,
            "held_out": held_out(wrote.person.key),
        }
        for wrote in sorted(corrections, key=lambda wrote: wrote.person_id)
    ]


def _person(person: Person, trust: Reliability | None) -> dict[str, Any]:
    """trust: None for somebody who never voted."""
    return {
        "person": person.id,
        "held_out": held_out(person.key),
        "votes": trust.votes if trust else 0,
        "agreement": trust and trust.agreement,
        "weight": trust and trust.weight,
        "reasons": list(trust.reasons) if trust else [],
    }
