"""The JSON API: each endpoint parses a request, calls the service, and converts the result to a response."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AfterValidator
from sse_starlette import EventSourceResponse, ServerSentEvent

from bots.errors import NotFound
from bots.service.base import UNFINISHED
from bots.service.service import CaptionService
from bots.service.views import Submitted
from bots.web.address_limits import address_limit
from bots.web.events import CaptionEvents
from bots.web.keys import FRONT_END, album_key, source_key
from bots.web.language import Language
from bots.web.schemas import (
    CaptionListResponse,
    CaptionResponse,
    CorrectionRequest,
    CorrectionResponse,
    Problem,
    VoteRequest,
    VoteResponse,
    caption_response,
)
from bots.web.sessions import Person
from bots.web.uploads import PhotoUploads
from bots.web.waiting import MAX_WAIT, finished
from db.caption_options import CaptionOptions, Length
from db.caption_requests import CaptionRequest
from db.tables import State
from settings import Settings

UPLOAD_PATH = "/api/captions"
MAX_SEARCH = 200  # characters
MAX_STREAMED = 100  # captions of one event stream

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


def _validated_id(text: str) -> str:
    """Raise NotFound for text that cannot be an id: a database may reject some characters in a query."""
    if not re.fullmatch(r"[\w-]{22}", text, re.ASCII):
        raise NotFound
    return text


Id = Annotated[str, AfterValidator(_validated_id)]
IdempotencyKey = Annotated[
    str | None,
    Header(pattern="^[!-~]{1,100}$", description="A second request with the same key creates no second caption."),
]


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of an endpoint, for the documentation."""
    return {status: {"model": Problem} for status in statuses}


def create_api(
    service: CaptionService, uploads: PhotoUploads, caption_events: CaptionEvents, settings: Settings
) -> APIRouter:
    """The router of the API."""
    api = APIRouter(prefix="/api")
    limited = [Depends(address_limit(settings))]
    present = partial(caption_response, root_path=settings.web_root_path)

    def respond(submitted: Submitted, person: str, language: str, response: Response) -> CaptionResponse:
        """Status 200 if the caption is finished, otherwise 202 and where it will be."""
        response.status_code = 200 if submitted.state in (State.DONE, State.FAILED) else 202
        if response.status_code == 202:
            response.headers["Location"] = f"{settings.web_root_path}/api/captions/{submitted.id}"
        return present(service.captions.get(submitted.id, person=person), language)

    @api.post("/captions", status_code=202, dependencies=limited, openapi_extra={"requestBody": UPLOAD_BODY},
              responses={200: {"model": CaptionResponse}, **error_responses(408, 413, 415, 422, 429, 503)})  # fmt: skip
    async def send_photo(
        request: Request,
        response: Response,
        person: Person,
        language: Language,
        idempotency_key: IdempotencyKey = None,
        album: Annotated[
            str | None, Query(pattern=r"^[\w-]{1,80}$", description="The same for photos sent together.")
        ] = None,
        position: Annotated[int, Query(ge=0, le=1_000_000, description="In the album.")] = 0,
        length: Annotated[Length | None, Query(description="Of the sentence; without it as you prefer.")] = None,
        wait: Annotated[
            float, Query(ge=0, le=MAX_WAIT, description="Seconds for which the answer may wait for the caption.")
        ] = 0,
    ) -> CaptionResponse:
        """Send a photo: JPEG, PNG, WebP, GIF, HEIC or AVIF. 200: its caption; 202: it is queued, see `Location`."""
        wanted = CaptionRequest(
            sender=person,
            front_end=FRONT_END,
            source=source_key(person, idempotency_key),
            album=album_key(person, album),
            position=position,
            options=CaptionOptions(length=length),
        )
        submitted = await uploads.submit(request, wanted)
        if wait and submitted.state in UNFINISHED:
            view = await finished(caption_events, submitted.id, person, wait)
            submitted = replace(submitted, state=view.state) if view else submitted
        return await asyncio.to_thread(respond, submitted, person, language, response)

    @api.get("/captions")
    def list_captions(
        person: Person,
        language: Language,
        limit: Annotated[int, Query(ge=1, le=100)] = 24,
        before: Id | None = None,
        search: Annotated[
            str | None, Query(max_length=MAX_SEARCH, description="Words of the caption, or of what you wrote instead.")
        ] = None,
    ) -> CaptionListResponse:
        """Your captions, newest first. `before`: the id of the last caption of the page before."""
        views = service.captions.of_person(person, limit, before, search)
        return CaptionListResponse(captions=[present(view, language) for view in views])

    @api.get("/captions/{id}", responses=error_responses(404))
    def read_caption(id: Id, person: Person, language: Language) -> CaptionResponse:
        """One caption of yours."""
        return present(service.captions.get(id, person=person), language)

    @api.delete("/captions/{id}", status_code=204, responses=error_responses(404))
    def remove_caption(id: Id, person: Person) -> None:
        """Delete a caption, the other sentences about it, and the photo if nobody else sent the same one."""
        service.captions.remove(id, person=person)

    @api.get("/captions/{id}/photo", response_class=Response,
             responses={200: {"content": {"image/jpeg": {}}}, **error_responses(404, 410)})  # fmt: skip
    def read_photo(id: Id, person: Person, request: Request) -> Response:
        """Your photo as it is stored: at most 1,024 pixels, upright, without metadata."""
        tag = f'"{id}"'  # a caption's photo never changes
        headers = {"Cache-Control": "private, no-cache", "ETag": tag}
        jpeg = service.captions.photo(id, person=person)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(jpeg, media_type="image/jpeg", headers=headers)

    @api.post("/captions/{id}/another", status_code=202, dependencies=limited,
              responses={200: {"model": CaptionResponse}, **error_responses(404, 410, 429, 503)})  # fmt: skip
    def ask_another(
        id: Id, response: Response, person: Person, language: Language, idempotency_key: IdempotencyKey = None
    ) -> CaptionResponse:
        """Ask for another sentence about the same photo: a new caption."""
        submitted = service.submissions.another(id, person=person, source=source_key(person, idempotency_key))
        return respond(submitted, person, language, response)

    @api.put("/captions/{id}/vote", responses=error_responses(404, 409, 422))
    def vote(id: Id, body: VoteRequest, person: Person) -> VoteResponse:
        """Vote a caption good (1) or bad (-1). Your last vote counts."""
        count = service.feedback.vote(id, person=person, value=body.value)
        return VoteResponse(vote=count.mine, ask_consent=count.ask_consent)

    @api.delete("/captions/{id}/vote", responses=error_responses(404))
    def unvote(id: Id, person: Person) -> VoteResponse:
        """Take your vote back."""
        count = service.feedback.unvote(id, person=person)
        return VoteResponse(vote=count.mine, ask_consent=False)

    @api.put("/captions/{id}/correction", responses=error_responses(404, 409, 422))
    def correct(id: Id, body: CorrectionRequest, person: Person, language: Language) -> CorrectionResponse:
        """Write a better sentence. Your last one counts."""
        view = service.feedback.correct(id, person=person, text=body.text)
        return CorrectionResponse(caption=present(view, language), ask_consent=view.ask_consent)

    @api.get("/events", response_class=EventSourceResponse,
             responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
    async def events(
        id: Annotated[list[Id], Query(max_length=MAX_STREAMED)], person: Person, language: Language
    ) -> EventSourceResponse:
        """Server-sent events: `caption` for each of these captions once it is done or failed, then `end`."""

        async def stream() -> AsyncGenerator[ServerSentEvent]:
            async for view in caption_events.stream(id, person):
                yield ServerSentEvent(present(view, language).model_dump_json(), event="caption")
            yield ServerSentEvent("", event="end")

        return EventSourceResponse(stream())

    return api
