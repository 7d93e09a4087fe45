"""What the JSON API takes and gives. The descriptions are its documentation."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from bots.texts import say, translated
from bots.views import CaptionView


class Caption(BaseModel):
    """A photo's caption, on its way or done."""

    id: str
    status: Literal["queued", "running", "done", "failed"]
    caption: Annotated[str | None, Field(description="The sentence, once it is done.")]
    alt_text: Annotated[str | None, Field(description="The same without a hedge, or the sentence you wrote.")]
    confidence: Annotated[float | None, Field(description="0 to 1: how often captions with this value are good.")]
    sureness: Annotated[str | None, Field(description="The confidence in words.")]
    hedged: Annotated[bool, Field(description="The model is unsure, and the sentence says so.")]
    is_photo: Annotated[bool, Field(description="False: blank, a screenshot, a page of text.")]
    words: Annotated[list[str], Field(description="The words as the model said them.")]
    alternatives: Annotated[list[str], Field(description="The next best sentences, best first.")]
    attention: Annotated[
        dict[str, Any] | None,
        Field(description="Where the model looked: rows, columns, and for each word a map of numbers from 0 to 255."),
    ]
    model: Annotated[str | None, Field(description="Version of the model that made it.")]
    parent: Annotated[str | None, Field(description="The caption whose “another one” this is.")]
    photo: Annotated[str | None, Field(description="Where the photo is; null once it was deleted.")]
    vote: Annotated[int, Field(description="Your thumb: 1, -1, or 0 for none.")]
    correction: Annotated[str | None, Field(description="The better sentence you wrote.")]
    error: Annotated[str | None, Field(description="Why it failed, for people.")]
    created_at: datetime


class Captions(BaseModel):
    captions: list[Caption]


class Voted(BaseModel):
    vote: Annotated[int, Field(description="1, -1, or 0 for none.")]
    ask_consent: Annotated[bool, Field(description="The person has not yet said whether photos may be kept.")]


class Corrected(BaseModel):
    caption: Caption
    ask_consent: bool


class Thumb(BaseModel):
    value: Literal[-1, 1]


class BetterSentence(BaseModel):
    text: str


class Consent(BaseModel):
    agreed: bool


class Me(BaseModel):
    """What is known of you, and what is done with your photos."""

    consent: Annotated[bool | None, Field(description="Photos may be kept for training; null: not asked yet.")]
    retention_hours: float
    feedback_retention_days: float
    max_photo_bytes: int


class Forgotten(BaseModel):
    """How much was removed."""

    captions: int
    photos: int
    votes: int
    corrections: int


class Problem(BaseModel):
    """Why a call was refused."""

    detail: Annotated[str, Field(description="For people, in the language they asked for.")]
    reason: Annotated[str, Field(description="For programs, such as file-too-large.")]


SURENESS = ((0.75, "very"), (0.5, "fairly"), (0.25, "hardly"), (0, "guess"))  # from this confidence on


def caption_json(view: CaptionView, language: str | None) -> Caption:
    plain = view.text
    if view.hedged and view.is_photo and view.words:
        plain = f"{' '.join(view.words).capitalize()}."
    return Caption(
        id=view.id,
        status=view.state.value,
        caption=view.text if view.is_photo or not view.text else translated(language, view.text),
        alt_text=view.correction or plain,
        confidence=view.confidence,
        sureness=None if view.confidence is None else sureness(view.confidence, language),
        hedged=view.hedged,
        is_photo=view.is_photo,
        words=list(view.words),
        alternatives=list(view.alternatives),
        attention=view.attention,
        model=view.model,
        parent=view.parent,
        photo=f"/api/captions/{view.id}/photo" if view.has_photo else None,
        vote=view.votes.mine,
        correction=view.correction,
        error=view.error and translated(language, view.error),
        created_at=view.created_at,
    )


def sureness(confidence: float, language: str | None) -> str:
    """Such as "Fairly sure: right about 6 times in 10"."""
    level = next(level for least, level in SURENESS if confidence >= least)
    return say(language, f"web.sure_{level}", count=max(1, round(10 * confidence)))
