"""Request and response schemas of the JSON API. Their descriptions are shown in its documentation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from bots.ai_label import label_of
from bots.i18n import language as language_code
from bots.i18n import say, translate_stored
from bots.service.views import CaptionView
from bots.web.keys import album_name
from db.caption_options import Length
from db.preferences import Quality


class CaptionResponse(BaseModel):
    """The caption of a photo, finished or not."""

    id: str
    status: Literal["queued", "running", "done", "failed"]
    caption: Annotated[str | None, Field(description="The sentence, once the caption is done.")]
    language: Annotated[str | None, Field(description="Language of the caption; null if a person wrote it.")]
    label: Annotated[
        str | None,
        Field(
            description="“AI:”, to be shown before the caption; null unless LABEL_CAPTIONS is on and a model wrote it."
        ),
    ]
    alt_text: Annotated[
        str | None, Field(description="What you last wrote about this photo, or else the caption without doubt.")
    ]
    confidence: Annotated[
        float | None, Field(description="0 to 1: the share of captions with this value that are good.")
    ]
    sureness: Annotated[str | None, Field(description="The confidence in words.")]
    hedged: Annotated[bool, Field(description="The model is unsure, and the sentence says so.")]
    is_photo: Annotated[bool, Field(description="False for a blank picture, a screenshot or a page of text.")]
    words: Annotated[list[str], Field(description="The words as the model generated them.")]
    alternatives: Annotated[list[str], Field(description="The next best sentences, best first.")]
    attention: Annotated[
        dict[str, Any] | None,
        Field(description="Where the model looked: rows, columns, and for each word a map of numbers from 0 to 255."),
    ]
    model: Annotated[str | None, Field(description="Version of the model that made it.")]
    parent: Annotated[str | None, Field(description="The caption whose “another one” this is.")]
    album: Annotated[str | None, Field(description="The same for photos that were sent together.")]
    position: Annotated[int, Field(description="In the album.")]
    file_name: Annotated[str | None, Field(description="Of the photo, as you sent it.")]
    photo: Annotated[str | None, Field(description="Path of the photo; null once it was deleted.")]
    vote: Annotated[int, Field(description="Your vote: 1, -1, or 0 for none.")]
    correction: Annotated[str | None, Field(description="What you last wrote about this photo.")]
    error: Annotated[str | None, Field(description="Why it failed, as a sentence for people.")]
    created_at: datetime


class CaptionListResponse(BaseModel):
    captions: list[CaptionResponse]


class VoteResponse(BaseModel):
    vote: Annotated[int, Field(description="1, -1, or 0 for none.")]
    ask_consent: Annotated[bool, Field(description="You have not been asked yet whether your photos may be kept.")]


class CorrectionResponse(BaseModel):
    caption: CaptionResponse
    ask_consent: bool


class VoteRequest(BaseModel):
    value: Literal[-1, 1]


class CorrectionRequest(BaseModel):
    text: str


class ConsentRequest(BaseModel):
    agreed: bool


class PreferencesRequest(BaseModel):
    length: Annotated[Length | None, Field(description="Of sentences.")] = None
    quality: Annotated[Quality | None, Field(description="quick: greedy search; careful: beam search.")] = None
    hedging: Annotated[bool | None, Field(description="Uncertain captions begin with “Could be:”.")] = None


class MeResponse(BaseModel):
    """Your consent and preferences, and how long photos are kept."""

    length: Length
    quality: Quality
    hedging: bool

    consent: Annotated[bool | None, Field(description="Your photos may be kept for training; null: not decided yet.")]
    retention_hours: float
    feedback_retention_days: float
    joined: Annotated[bool, Field(description="This browser joined the list of another one by a link.")]
    max_photo_bytes: int


class ErasureResponse(BaseModel):
    """How much was deleted."""

    captions: int
    photos: int
    votes: int
    corrections: int
    exports: Annotated[int, Field(description="Exports for training that held something of you.")]
    left: Annotated[int, Field(description="Photos and exports that are still being deleted.")]


class LinkResponse(BaseModel):
    """A link by which another browser joins your list. It is shown once."""

    path: Annotated[str, Field(description="Of the page that asks for confirmation; the secret follows its #.")]
    expires_at: datetime


class DeviceResponse(BaseModel):
    """A browser that joined your list, or a link that was not used yet."""

    id: str
    joined_at: Annotated[datetime | None, Field(description="null: the link was not used yet.")]
    expires_at: Annotated[datetime | None, Field(description="When the link expires.")]
    this: Annotated[bool, Field(description="It is the browser that asks.")]


class DeviceListResponse(BaseModel):
    devices: list[DeviceResponse]


class Problem(BaseModel):
    """Why a request failed."""

    detail: Annotated[str, Field(description="For people, in the language of Accept-Language.")]
    reason: Annotated[str, Field(description="For programs, such as file-too-large.")]


MODEL_LANGUAGE = "en"  # that models write

# Lower bound of the confidence -> key of the text
CONFIDENCE_TEXTS = ((0.75, "very"), (0.5, "fairly"), (0.25, "hardly"), (0, "guess"))


def caption_response(view: CaptionView, language: str | None, root_path: str = "") -> CaptionResponse:
    """The response for a caption, with its texts in this language, and addresses that begin with WEB_ROOT_PATH."""
    return CaptionResponse(
        id=view.id,
        status=view.state.value,
        caption=view.text if view.is_photo or not view.text else translate_stored(language, view.text),
        language=_language_of(view, language),
        label=label_of(view, language),
        alt_text=view.correction or plain_sentence(view.text, view.words if view.hedged and view.is_photo else ()),
        confidence=view.confidence,
        sureness=None if view.confidence is None else confidence_text(view.confidence, language),
        hedged=view.hedged,
        is_photo=view.is_photo,
        words=list(view.words),
        alternatives=list(view.alternatives),
        attention=view.attention,
        model=view.model,
        parent=view.parent,
        album=album_name(view.album),
        position=view.position,
        file_name=view.file_name,
        photo=f"{root_path}/api/captions/{view.id}/photo" if view.has_photo else None,
        vote=view.votes.mine,
        correction=view.correction,
        error=view.error and translate_stored(language, view.error),
        created_at=view.created_at,
    )


def plain_sentence(text: str | None, words: Sequence[str]) -> str | None:
    """The sentence without doubt. words: of a caption that says that the model is unsure; else none."""
    return f"{' '.join(words).capitalize()}." if words else text


def _language_of(view: CaptionView, language: str | None) -> str | None:
    """The language of `caption`: screen readers pronounce it accordingly. None: a person wrote it, or it is missing."""
    if not view.is_photo:
        return language_code(language)  # of a text of ours, which is translated
    return MODEL_LANGUAGE if view.model else None


def confidence_text(confidence: float, language: str | None) -> str:
    """The confidence in words, such as "Fairly sure: right about 6 times in 10"."""
    level = next(level for bound, level in CONFIDENCE_TEXTS if confidence >= bound)
    return say(language, f"web.sure_{level}", count=max(1, round(10 * confidence)))
