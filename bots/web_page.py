"""The web front-end: the page, the API it calls, and what operators look at, in one application."""

import contextlib
import html
import json
import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.metrics import Metrics
from bots.secret_key import secret_key
from bots.service import CaptionService
from bots.service_setup import create_service
from bots.texts import catalogue
from bots.web_api import UPLOADS, create_api
from bots.web_docs import add_docs
from bots.web_errors import handle_errors
from bots.web_events import Completions
from bots.web_health import broker_of, create_health
from bots.web_language import Language
from bots.web_models import Problem
from bots.web_session import Person, Sessions, same_origin
from bots.web_upload import USUAL, BodyLimit
from db.engine import create_engine, reading
from settings import Settings, read_settings
from worker.app import create_app

FOLDER = Path(__file__).with_name("web")
HEADERS = {
    # Nothing but our own files; no script or style inside the page. blob: the preview of a photo that is being sent.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_site(service: CaptionService | None = None, settings: Settings | None = None) -> FastAPI:
    """The site, ready to be served. What is not given is made as the settings say.

    Raises WrongSetting; and OldSchema when the database must be migrated first.
    """
    settings = settings or read_settings()
    service = service or create_service(settings)
    completions = Completions(service, service.wakes)
    engine = create_engine(settings.database_url)  # of our own: monitoring does not wait for those who send photos
    metrics = Metrics(reading(engine))
    broker = broker_of(create_app(settings.broker_url, settings.key_prefix))

    @contextlib.asynccontextmanager
    async def lifespan(site: FastAPI) -> AsyncIterator[None]:
        with completions.listening():
            yield
        engine.dispose()

    site = FastAPI(
        title="captionbot",
        summary="Describes photos in a sentence.",
        description="A person is a cookie: keep the one that the first answer sets, or nobody finds your captions.",
        dependencies=[Depends(same_origin)],
        responses={422: {"model": Problem}},
        lifespan=lifespan,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # nothing is sent
    )
    site.state.sessions = Sessions(secret_key(settings))
    site.state.metrics = metrics
    site.add_middleware(BodyLimit, paths={UPLOADS: round(settings.max_photo_mb * 1e6) + USUAL})
    site.add_middleware(SafeHeaders)
    handle_errors(site)
    site.include_router(create_api(service, completions, settings))
    site.include_router(create_health(reading(engine), broker, metrics))
    add_docs(site)
    site.mount("/static", StaticFiles(directory=FOLDER))

    @site.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, response: Response, language: Language, person: Person) -> Any:
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Language"})
        return HTMLResponse(_page(language), headers=response.headers)

    return site


class SafeHeaders:
    """ASGI middleware: HEADERS on every answer, and nothing of the API is kept in a cache unless the answer says so."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static") else "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


@cache
def _page(language: str) -> str:
    """index.html with its {{sentences}} in this language."""
    sentences = {key.removeprefix("web."): text for key, text in catalogue(language).items() if key.startswith("web.")}
    texts = json.dumps(sentences, ensure_ascii=False).replace("<", "\\u003c")
    values = {key: html.escape(text) for key, text in sentences.items() if isinstance(text, str)}
    values |= {"language": language, "texts": texts}
    return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], (FOLDER / "index.html").read_text("utf-8"))
