"""The page for browsers without JavaScript: a form sends one photo, and a page shows its caption."""

from html import escape
from string import Template

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from bots.errors import NotFound, UserError
from bots.i18n import say
from bots.service.service import CaptionService
from bots.web.address_limits import address_limit
from bots.web.errors import status_of
from bots.web.keys import FRONT_END
from bots.web.language import Language
from bots.web.schemas import CaptionResponse, caption_response
from bots.web.sessions import Person
from bots.web.uploads import PhotoUploads
from db.caption_requests import CaptionRequest
from settings import Settings

PLAIN_UPLOAD_PATH = "/described"
REFRESH = '<meta http-equiv="refresh" content="2">'  # seconds, while a photo is being described


def create_plain_page(
    service: CaptionService, uploads: PhotoUploads, settings: Settings, template: Template
) -> APIRouter:
    """The routes. template: of static/described.html in its frame."""
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    root, count_request = settings.web_root_path, address_limit(settings)

    def render(language: str, content: str, headers: Response, status: int = 200, refresh: str = "") -> Response:
        texts = {"title": say(language, "web.your_caption"), "next_photo": say(language, "web.next_photo")}
        escaped = {name: escape(text) for name, text in texts.items()}
        page = template.substitute(escaped, language=language, root=root, caption=content, head=refresh)
        return HTMLResponse(page, status, headers.headers)

    def problem(language: str, text: str, headers: Response, status: int) -> Response:
        return render(language, f'<p class="problem" role="alert">{escape(text)}</p>', headers, status)

    @pages.post(PLAIN_UPLOAD_PATH)
    async def describe(request: Request, response: Response, person: Person, language: Language) -> Response:
        """Accept the photo of the form, and go to the page of its caption."""
        try:
            count_request(request)
            submitted = await uploads.submit(request, CaptionRequest(sender=person, front_end=FRONT_END))
        except UserError as error:
            return problem(language, error.translated(language), response, status_of(error))
        except HTTPException as error:
            return problem(language, error.detail, response, error.status_code)
        response.headers["Location"] = f"{root}{PLAIN_UPLOAD_PATH}/{submitted.id}"
        return Response(status_code=303, headers=response.headers)

    @pages.get(PLAIN_UPLOAD_PATH + "/{id}")
    def described(id: str, response: Response, person: Person, language: Language) -> Response:
        """The caption of a photo; while there is none, a page that loads itself again."""
        try:
            view = service.captions.get(id, person=person)
        except NotFound as error:
            return problem(language, error.translated(language), response, status_of(error))
        caption = caption_response(view, language, root)
        waits = caption.status in ("queued", "running")
        return render(language, _content(caption, language), response, refresh=REFRESH if waits else "")

    return pages


def _content(caption: CaptionResponse, language: str) -> str:
    """HTML of the photo and what is known about it."""
    photo = f'<img src="{escape(caption.photo)}" alt="">' if caption.photo else ""
    if caption.error:
        return f'{photo}<p class="problem">{escape(caption.error)}</p>'
    if caption.caption is None:
        return f'{photo}<p role="status">{escape(say(language, "web.please_wait"))}</p>'
    spoken = f' lang="{caption.language}"' if caption.language else ""
    sureness = f'<p class="small">{escape(caption.sureness)}</p>' if caption.sureness else ""
    label = f'<span lang="{language}">{escape(caption.label)}</span> ' if caption.label else ""
    return f"{photo}<h2{spoken}>{label}{escape(caption.caption)}</h2>{sureness}"
