"""One list on several devices: the calls that make and remove links, and the page that a link opens.

The secret of a link is behind the # of its address. No browser sends that part anywhere, so it is in no log and no
referrer, and whatever opens links by itself (previews, prefetch) can neither read nor use it. Only the form joins.
"""

from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from bots.errors import UserError
from bots.http.connections import network
from bots.i18n import say
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from bots.web.errors import status_of
from bots.web.language import Language
from bots.web.schemas import DeviceListResponse, DeviceResponse, LinkResponse
from bots.web.sessions import Person, device_token, sessions_of
from settings import Settings

JOIN_PATH = "/join"
RATES = "30/hour"  # links that a person makes; tries to join from an address
TEXTS = ("join_warning", "join_own", "join_code", "join_yes", "join_no")


def create_devices(service: CaptionService, settings: Settings, template: Template) -> APIRouter:
    """The routes. template: of static/join.html in its frame."""
    router = APIRouter()
    root = settings.web_root_path
    limits = RateLimits(RATES, settings.redis_url, settings.key_prefix)

    def render(language: str, headers: Response, problem: str = "", status: int = 200) -> Response:
        alert = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
        texts = {name: escape(say(language, f"web.{name}")) for name in TEXTS}
        title = escape(say(language, "web.join_title"))
        script = f'<script type="module" src="{root}/static/join.js"></script>'
        page = template.substitute(texts, title=title, language=language, root=root, head=script, problem=alert)
        return HTMLResponse(page, status, headers.headers)

    @router.get(JOIN_PATH, include_in_schema=False)
    def ask(response: Response, language: Language) -> Response:
        """Ask whether this browser shall join. The address has no secret for us, and nothing happens yet."""
        return render(language, response)

    @router.post(JOIN_PATH, include_in_schema=False)
    def join(
        request: Request, response: Response, person: Person, language: Language, code: Annotated[str, Form()] = ""
    ) -> Response:
        """Join, and go to the page. code: the secret, or the whole link as somebody pasted it."""
        try:
            limits.hit(f"join:{network(request.client.host) if request.client else ''}")
            token = service.devices.join(code.strip().rpartition("#")[2], person)
        except UserError as error:
            return render(language, response, error.translated(language), status_of(error))
        if token:
            sessions_of(request).join(request, response, token)
        response.headers["Location"] = f"{root}/"
        return Response(status_code=303, headers=response.headers)

    @router.post("/api/me/link", status_code=201)
    def new_link(person: Person) -> LinkResponse:
        """Make a link by which another browser joins your list. It replaces one that was not used yet."""
        limits.hit(f"link:{person}")
        link = service.devices.new_link(person)
        return LinkResponse(path=f"{root}{JOIN_PATH}#{link.secret}", expires_at=link.expires_at)

    @router.get("/api/me/devices")
    def list_devices(request: Request, person: Person) -> DeviceListResponse:
        """The browsers that joined your list by a link, and a link that was not used yet."""
        token = device_token(request)
        this = service.devices.id_of(token) if token else None
        found = service.devices.of_person(person)
        return DeviceListResponse(
            devices=[
                DeviceResponse(id=each.id, joined_at=each.joined_at, expires_at=each.expires_at, this=each.id == this)
                for each in found
            ]
        )

    @router.delete("/api/me/devices/{id}", status_code=204)
    def remove(id: str, request: Request, response: Response, person: Person) -> None:
        """Remove a device from your list, or a link. A browser that removes itself has its own list again."""
        token = device_token(request)
        this = service.devices.id_of(token) if token else None
        service.devices.remove(person, id)
        if this == id:
            sessions_of(request).leave(request, response)

    return router
