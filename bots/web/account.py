"""The part of the API about a person: preferences, consent, export, and deleting everything."""

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from bots.service.service import CaptionService
from bots.web.caption_export import as_csv, as_json
from bots.web.language import Language
from bots.web.schemas import ConsentRequest, ErasureResponse, MeResponse, PreferencesRequest
from bots.web.sessions import Person, device_token, sessions_of
from settings import Settings


def create_account(service: CaptionService, settings: Settings) -> APIRouter:
    """The router of `/api/me`."""
    api = APIRouter(prefix="/api/me")

    def me(person: str, request: Request) -> MeResponse:
        preferences = service.people.preferences(person)
        return MeResponse(
            length=preferences.length,
            quality=preferences.quality,
            hedging=preferences.hedging,
            consent=preferences.training_consent,
            retention_hours=settings.retention_hours,
            feedback_retention_days=settings.feedback_retention_days,
            joined=device_token(request) is not None,
            max_photo_bytes=settings.max_photo_bytes,
        )

    @api.get("")
    def read_me(person: Person, request: Request) -> MeResponse:
        """Your preferences and consent, and how long photos are kept."""
        return me(person, request)

    @api.put("/preferences")
    def prefer(body: PreferencesRequest, person: Person, request: Request) -> MeResponse:
        """Change how your photos are described from now on. What is left out or null stays as it is."""
        if changes := body.model_dump(exclude_none=True):
            service.people.set_preferences(person, **changes)
        return me(person, request)

    @api.put("/consent")
    def consent(body: ConsentRequest, person: Person, request: Request) -> MeResponse:
        """Agree or disagree that your photos are kept to train the model."""
        service.people.set_consent(person, body.agreed)
        return me(person, request)

    @api.get("/export.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
    def export_csv(person: Person, language: Language) -> StreamingResponse:
        """All finished captions of yours as a table, newest first."""
        return _download(as_csv(service.captions.export(person), language), "text/csv; charset=utf-8", "captions.csv")

    @api.get("/export.json", response_class=StreamingResponse, responses={200: {"content": {"application/json": {}}}})
    def export_json(person: Person, language: Language) -> StreamingResponse:
        """The same as a JSON array."""
        return _download(as_json(service.captions.export(person), language), "application/json", "captions.json")

    @api.delete("")
    def forget(person: Person, request: Request, response: Response) -> ErasureResponse:
        """Delete your photos, captions, votes, corrections, preferences, joined devices and cookie."""
        gone = service.people.forget(person)
        sessions_of(request).forget(request, response)
        return ErasureResponse(**vars(gone))

    return api


def _download(content: Iterator[bytes], media_type: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=media_type, headers=headers)
