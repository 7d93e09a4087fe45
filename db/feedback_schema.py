"""The records of an export as `captionbot export` writes them, and as training checks them when it reads them.

feedback_format.md describes their fields. The bounds are wider than what captionbot writes: they keep an export that
comes from elsewhere from bringing numbers that are none, or names of photos that lead out of its folder.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

NAME, VERSION = "captionbot-feedback", 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PersonId = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]  # no NaN, for it is not between them
Weight = Annotated[float, Field(ge=0, le=1e9)]
Text = Annotated[str, Field(max_length=10_000)]
Time = Annotated[str, Field(max_length=40)]


class VoteRecord(TypedDict):
    """A vote on a caption."""

    person: PersonId
    value: Literal[1, -1]
    weight: Share
    held_out: bool


class CorrectionRecord(TypedDict):
    """A better sentence."""

    person: PersonId
    text: Text
    accepted: bool
    reason: Text | None
    held_out: bool


class CaptionRecord(TypedDict):
    """A caption that was voted on or corrected: a line of captions.jsonl."""

    caption: Count
    photo: Sha256
    held_out: bool
    sender: PersonId
    text: Text | None
    words: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=1000)]
    confidence: Share | None
    hedged: bool
    is_photo: bool
    model: Annotated[str, Field(max_length=100)] | None
    rank: Count
    shown: Time
    up: Count
    down: Count
    weighted_up: Weight
    weighted_down: Weight
    votes: Annotated[list[VoteRecord], Field(max_length=100_000)]
    corrections: Annotated[list[CorrectionRecord], Field(max_length=100_000)]


class PersonRecord(TypedDict):
    """Somebody who voted or corrected: a line of people.jsonl."""

    person: PersonId
    held_out: bool
    votes: Count
    agreement: Share | None
    weight: Share | None
    reasons: list[Text]


class Manifest(TypedDict):
    """manifest.json."""

    format: Literal["captionbot-feedback"]
    version: Literal[1]
    tables: Literal["jsonl", "coco", "csv"]
    since: Time | None
    hash: Sha256
    counts: dict[str, Any]
    people: list[PersonId]


CAPTION_RECORD = TypeAdapter(CaptionRecord)
MANIFEST = TypeAdapter(Manifest)
