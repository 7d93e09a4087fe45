"""Votes and corrections as plain records, for exports and training.

Only photos whose senders agreed to training are included. People are identified by row id, which means nothing
outside this database. Deleted data has no rows, so it appears in no record and influences no count or weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from db.feedback_schema import CaptionRecord, CorrectionRecord, PersonRecord
from db.hash_buckets import bucket
from db.tables import Caption, Correction, Person, Photo, Review, State, Vote
from db.voter_reliability import CastVote, Reliability, reliability

HELD_OUT = 10  # one in ten photos and people is used only for evaluation, never for training


@dataclass(frozen=True)
class FeedbackRecords:
    """Records, all in order of row id. feedback_format.md describes their fields.

    Attributes:
        captions: captions that were voted on or corrected.
        people: those who voted or corrected.
        photos: row id -> SHA-256.
    """

    captions: list[CaptionRecord] = field(default_factory=list)
    people: list[PersonRecord] = field(default_factory=list)
    photos: dict[int, str] = field(default_factory=dict)

    def of_photos(self, photos: dict[int, str]) -> "FeedbackRecords":
        """The records of these photos alone, and of the people who rated them."""
        kept = set(photos.values())
        captions = [caption for caption in self.captions if caption["photo"] in kept]
        raters = {
            feedback["person"] for caption in captions for feedback in (*caption["votes"], *caption["corrections"])
        }
        return FeedbackRecords(captions, [person for person in self.people if person["person"] in raters], photos)

    def person_ids(self) -> list[int]:
        """Row ids of everybody whose data is included: senders, and people who voted or corrected."""
        return sorted({caption["sender"] for caption in self.captions} | {person["person"] for person in self.people})


def held_out(key: str) -> bool:
    """Whether the photo with this SHA-256, or the person with this key, is held out. It never changes."""
    return bucket(key, HELD_OUT, salt="held out") == 0


def read_records(session: Session, since: datetime | None = None) -> FeedbackRecords:
    """Records of all captions that were voted on or corrected (since then) and whose photos still exist."""
    captions = list(session.scalars(_rated(since)).unique())
    trust = voter_reliabilities(session)
    people = {vote.person_id: vote.person for caption in captions for vote in caption.votes}
    people |= {correction.person_id: correction.person for caption in captions for correction in caption.corrections}
    return FeedbackRecords(
        captions=[_caption(caption, trust) for caption in captions],
        people=[_person(people[id], trust.get(id)) for id in sorted(people)],
        photos={caption.photo_id: caption.photo.sha256 for caption in captions},
    )


def voter_reliabilities(session: Session) -> dict[int, Reliability]:
    """Reliability of each voter: person id -> reliability. Votes on reused corrections are not counted."""
    votes = select(Vote.person_id, Vote.caption_id, Vote.value, Vote.voted_at).join(Caption)
    return reliability([CastVote(*row) for row in session.execute(votes.where(Caption.remembered_from.is_(None)))])


def _rated(since: datetime | None) -> Select[Caption]:
    votes: ColumnElement[bool] = Vote.caption_id == Caption.id
    corrections: ColumnElement[bool] = Correction.caption_id == Caption.id
    if since:
        votes, corrections = votes & (Vote.voted_at >= since), corrections & (Correction.written_at >= since)
    captions = select(Caption).join(Caption.photo).join(Caption.person)
    captions = captions.where(
        Caption.state == State.DONE,
        Caption.remembered_from.is_(None),  # otherwise the sentence is a person's, not the model's
        Person.training_consent.is_(True),
        Photo.dropped_at.is_(None),
        select(Vote.id).where(votes).exists() | select(Correction.id).where(corrections).exists(),
    )
    with_relations = (
        contains_eager(Caption.photo),
        selectinload(Caption.votes).joinedload(Vote.person),
        selectinload(Caption.corrections).joinedload(Correction.person),
    )
    return captions.options(*with_relations).order_by(Caption.id)


def _caption(caption: Caption, trust: Mapping[int, Reliability]) -> CaptionRecord:
    """A record of captions.jsonl, see feedback_format.md."""
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
                "value": 1 if vote.value > 0 else -1,
                "weight": weights[vote.person_id],
                "held_out": held_out(vote.person.key),
            }
            for vote in votes
        ],
        "corrections": _corrections(caption.corrections),
    }


def _corrections(corrections: Sequence[Correction]) -> list[CorrectionRecord]:
    return [
        {
            "person": correction.person_id,
            "text": correction.text,
            "accepted": correction.review == Review.ACCEPTED,
            "reason": correction.reason,
            "held_out": held_out(correction.person.key),
        }
        for correction in sorted(corrections, key=lambda correction: correction.person_id)
    ]


def _person(person: Person, trust: Reliability | None) -> PersonRecord:
    """A record of people.jsonl. trust: None for somebody who never voted."""
    return {
        "person": person.id,
        "held_out": held_out(person.key),
        "votes": trust.votes if trust else 0,
        "agreement": trust.agreement if trust else None,
        "weight": trust.weight if trust else None,
        "reasons": list(trust.reasons) if trust else [],
    }
