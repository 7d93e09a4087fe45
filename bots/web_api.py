"""The JSON API. An endpoint reads the call, asks the service, and shows the answer."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Any, BinaryIO

import anyio
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AfterValidator
from sse_starlette import EventSourceResponse, ServerSentEvent

from bots.errors import NotFound
from bots.service import CaptionService
from bots.views import Submitted
from bots.web_addresses import address_limit
from bots.web_events import Completions
from bots.web_language import Language
from bots.web_models import (
    BetterSentence,
    Caption,
    Captions,
    Consent,
    Corrected,
    Forgotten,
    Me,
    Problem,
    Thumb,
    Voted,
    caption_json,
)
from bots.web_session import COOKIE, Person
from bots.web_upload import uploaded_photo
from db.tables import State
from settings import Settings

UPLOADS = "/api/captions"
CHECKED_AT_ONCE = 4  # photos of one process in memory; the others wait on disk
FOLLOWED = 100  # captions of one stream

UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        }
    },
}


def _id(text: str) -> str:
    """What cannot be an id is that of no caption. (A database may refuse to even look for odd characters.)"""
    if not re.fullmatch(r"[\w-]{22}", text, re.ASCII):
        raise NotFound
    return text


Id = Annotated[str, AfterValidator(_id)]
Key = Annotated[
    str | None,
    Header(pattern="^[!-~]{1,100}$", description="The same key again makes no second caption."),
]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the documentation: which errors a call can meet."""
    return {status: {"model": Problem} for status in statuses}


def create_api(service: CaptionService, completions: Completions, settings: Settings) -> APIRouter:
    api = APIRouter(prefix="/api")
    max_bytes = round(settings.max_photo_mb * 1e6)
    limited = [Depends(address_limit(settings))]
    checking = anyio.CapacityLimiter(CHECKED_AT_ONCE)

    def source(person: str, key: str | None) -> str | None:
        return key and f"{person}/{key}"

    def answer(submitted: Submitted, person: str, code: str, response: Response) -> Caption:
        """202 while it is on its way, 200 if its sentence was known."""
        response.status_code = 200 if submitted.state == State.DONE else 202
        return caption_json(service.result(submitted.id, person=person), code)

    @api.post("/captions", status_code=202, dependencies=limited, openapi_extra={"requestBody": UPLOAD_BODY},
              responses={200: {"model": Caption}, **refusals(408, 413, 415, 422, 429, 503)})  # fmt: skip
    async def send_photo(
        request: Request, response: Response, person: Person, code: Language, idempotency_key: Key = None
    ) -> Caption:
        """Send a photo: JPEG, PNG, WebP, GIF, HEIC or AVIF. 202: queued, 200: the sentence is there at once."""

        def submit(file: BinaryIO) -> Submitted:
            return service.submit(
                file.read(), sender=person, front_end="web", source=source(person, idempotency_key), reply_to={}
            )

        async with uploaded_photo(request, max_bytes) as file:
            submitted = await anyio.to_thread.run_sync(submit, file, limiter=checking)
        return await asyncio.to_thread(answer, submitted, person, code, response)

    @api.get("/captions")
    def list_captions(
        person: Person, code: Language, limit: Annotated[int, Query(ge=1, le=100)] = 24, before: Id | None = None
    ) -> Captions:
        """Your captions, newest first. `before`: the id of the last one you have, for the next page."""
        views = service.captions_of(person, limit, before)
        return Captions(captions=[caption_json(view, code) for view in views])

    @api.get("/captions/{id}", responses=refusals(404))
    def read_caption(id: Id, person: Person, code: Language) -> Caption:
        """One caption of yours."""
        return caption_json(service.result(id, person=person), code)

    @api.delete("/captions/{id}", status_code=204, responses=refusals(404))
    def remove_caption(id: Id, person: Person) -> None:
        """Remove a caption with those that were asked for after it, and the photo if nobody else sent it."""
        service.remove(id, person=person)

    @api.get("/captions/{id}/photo", response_class=Response,
             responses={200: {"content": {"image/jpeg": {}}}, **refusals(404, 410)})  # fmt: skip
    def read_photo(id: Id, person: Person, request: Request) -> Response:
        """Your photo as it is kept: at most 1,024 pixels, upright, without metadata."""
        tag = f'"{id}"'  # a caption's photo never changes
        headers = {"Cache-Control": "private, no-cache", "ETag": tag}
        jpeg = service.photo(id, person=person)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    @api.post("/captions/{id}/another", status_code=202, dependencies=limited,
              responses={200: {"model": Caption}, **refusals(404, 410, 429, 503)})  # fmt: skip
    def ask_another(id: Id, response: Response, person: Person, code: Language, idempotency_key: Key = None) -> Caption:
        """Ask for another sentence about the same photo: a new caption."""
        submitted = service.another(id, person=person, source=source(person, idempotency_key), reply_to={})
        return answer(submitted, person, code, response)

    @api.put("/captions/{id}/vote", responses=refusals(404, 409, 422))
    def vote(id: Id, thumb: Thumb, person: Person) -> Voted:
        """Say that a caption is good (1) or not (-1). The last one counts."""
        count = service.vote(id, person=person, value=thumb.value)
        return Voted(vote=count.mine, ask_consent=count.ask_consent)

    @api.delete("/captions/{id}/vote", responses=refusals(404))
    def unvote(id: Id, person: Person) -> Voted:
        """Take the thumb back."""
        count = service.unvote(id, person=person)
        return Voted(vote=count.mine, ask_consent=False)

    @api.put("/captions/{id}/correction", responses=refusals(404, 409, 422))
    def correct(id: Id, better: BetterSentence, person: Person, code: Language) -> Corrected:
        """Write a better sentence. The last one counts."""
        view = service.correct(id, person=person, text=better.text)
        return Corrected(caption=caption_json(view, code), ask_consent=view.ask_consent)

    @api.get("/events", response_class=EventSourceResponse,
             responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
    async def events(
        id: Annotated[list[Id], Query(max_length=FOLLOWED)], person: Person, code: Language
    ) -> EventSourceResponse:
        """Server-sent events: `caption` for each of these captions once it is done or failed, then `end`."""

        async def stream() -> AsyncGenerator[ServerSentEvent]:
            async for view in completions.follow(id, person):
                yield ServerSentEvent(caption_json(view, code).model_dump_json(), event="caption")
            yield ServerSentEvent("", event="end")

        return EventSourceResponse(stream())

    def me_of(person: str) -> Me:
        return Me(
            consent=service.preferences(person).training_consent,
            retention_hours=settings.retention_hours,
            feedback_retention_days=settings.feedback_retention_days,
            max_photo_bytes=max_bytes,
        )

    @api.get("/me")
    def read_me(person: Person) -> Me:
        """What is known of you, and what is done with your photos."""
        return me_of(person)

    @api.put("/me/consent")
    def consent(choice: Consent, person: Person) -> Me:
        """Say whether your photos may be kept to train the model."""
        service.consent(person, choice.agreed)
        return me_of(person)

    @api.delete("/me")
    def forget(person: Person, response: Response) -> Forgotten:
        """Remove your photos, captions, votes and corrections, and your cookie."""
        gone = service.forget(person)
        response.delete_cookie(COOKIE)
        return Forgotten(captions=gone.captions, photos=gone.photos, votes=gone.votes, corrections=gone.corrections)

    return api
