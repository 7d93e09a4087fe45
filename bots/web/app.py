"""The web application: the page, its API, and the endpoints for operators."""

import contextlib
import html
import json
import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots import i18n
from bots.http.bodies import MAX_BODY, BodyLimit
from bots.service.service import CaptionService
from bots.service.setup import create_service
from bots.web.account import create_account
from bots.web.api import UPLOAD_PATH, create_api
from bots.web.api_docs import add_docs
from bots.web.bearer import BearerKeys
from bots.web.devices import create_devices
from bots.web.errors import add_error_handlers
from bots.web.events import CaptionEvents
from bots.web.health import broker_check, create_health
from bots.web.language import Language
from bots.web.metrics import Metrics
from bots.web.plain_page import PLAIN_UPLOAD_PATH, create_plain_page
from bots.web.schemas import Problem
from bots.web.secret_key import secret_key
from bots.web.sessions import Person, Sessions, same_origin
from bots.web.uploads import PhotoUploads
from db.engine import create_engine, reading
from settings import Settings, read_settings
from worker.job_queue import create_app

FOLDER = Path(__file__).with_name("static")
SECURITY_HEADERS = {
    # Only our own files, and no inline script or style. blob: the preview of a photo that is being uploaded.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_site(service: CaptionService | None = None, settings: Settings | None = None) -> FastAPI:
    """The site, ready to be served. The service and the settings are created from the environment if not given.

    Raises:
        WrongSetting: see `secret_key`.
        OldSchema: the database must be migrated first.
    """
    settings = settings or read_settings()
    i18n.load(settings.languages_dir)
    service = service or create_service(settings)
    caption_events = CaptionEvents(service, service.notifier)
    engine = create_engine(settings.database_url)  # its own pool: monitoring does not wait for uploads
    metrics = Metrics(reading(engine))
    broker = broker_check(create_app(settings.broker_url, settings.key_prefix, settings.broker_transport))

    @contextlib.asynccontextmanager
    async def lifespan(site: FastAPI) -> AsyncIterator[None]:
        with caption_events.subscribed():
            yield
        engine.dispose()

    root = settings.web_root_path
    site = FastAPI(
        title="captionbot",
        summary="Describes photos in a sentence.",
        description="You are known by a cookie: keep the one of the first response, to find your captions again. "
        "Programs send a key of `captionbot key new` instead, as `Authorization: Bearer KEY`.",
        dependencies=[Depends(same_origin)],
        responses={401: {"model": Problem}, 422: {"model": Problem}},
        lifespan=lifespan,
        docs_url=None,  # these pages load scripts from other sites
        redoc_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        },  # sends nothing
    )
    site.state.sessions = Sessions(secret_key(settings), root, service.devices.person_of)
    site.state.bearer_keys = BearerKeys(service.api_keys, settings)
    site.state.metrics = metrics
    upload_paths = (root + UPLOAD_PATH, root + PLAIN_UPLOAD_PATH)
    site.add_middleware(BodyLimit, paths=dict.fromkeys(upload_paths, settings.max_photo_bytes + MAX_BODY))
    site.add_middleware(SecurityHeaders, static=f"{root}/static")
    site.add_middleware(RootPath, root_path=root)  # first of all
    add_error_handlers(site)
    uploads = PhotoUploads(service, settings.max_photo_bytes)
    site.include_router(create_api(service, uploads, caption_events, settings))
    site.include_router(create_account(service, settings))
    site.include_router(create_devices(service, settings, _template("join.html")))
    site.include_router(create_plain_page(service, uploads, settings, _template("described.html")))
    site.include_router(create_health(reading(engine), broker, service.backend.store, metrics))
    add_docs(site, root)
    site.mount("/static", StaticFiles(directory=FOLDER))

    render = cache(_render_page)

    @site.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, response: Response, language: Language, person: Person) -> Any:
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Language"})
        return HTMLResponse(render(language, root), headers=response.headers)

    return site


def _template(content: str) -> Template:
    """A page of the site beside the main one: the frame that these share, around a file of content."""
    frame, inner = ((FOLDER / name).read_text("utf-8") for name in ("frame.html", content))
    return Template(frame.replace("$content", inner.rstrip()))


class RootPath:
    """ASGI middleware that says below which path of the host the site lies.

    Routes, files and redirects need the whole path of a request. A proxy may have cut the root path off or not: no path
    of ours begins with it, see the setting.
    """

    def __init__(self, app: ASGIApp, *, root_path: str):
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, root = scope["path"], self.root_path
            whole = path if f"{path}/".startswith(f"{root}/") else root + path
            scope = {**scope, "root_path": root, "path": whole}
        await self.app(scope, receive, send)


class SecurityHeaders:
    """ASGI middleware that adds SECURITY_HEADERS to every response, and forbids caching unless a response allows it.

    Args:
        static: the path of files that may be cached.
    """

    def __init__(self, app: ASGIApp, *, static: str):
        self.app, self.static = app, static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith(self.static) else "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


def _render_page(language: str, root: str) -> str:
    """index.html with its {{placeholders}} replaced by the texts of this language, and by the root path of links."""
    texts = {key[4:]: text for key, text in i18n.catalogue(language).items() if key.startswith("web.")}
    values = {key: html.escape(text.forms[0]) for key, text in texts.items()}
    values |= {"language": language.replace("_", "-"), "texts": _for_script(texts), "root": root}
    return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], (FOLDER / "index.html").read_text("utf-8"))


def _for_script(texts: dict[str, i18n.Text]) -> str:
    """The texts as i18n.js reads them: JSON with the forms of each, and the tables that choose among plural forms."""
    plurals = list(dict.fromkeys(text.plural for text in texts.values()))
    forms = {key: {"forms": text.forms, "plural": plurals.index(text.plural)} for key, text in texts.items()}
    script = {"texts": forms, "plurals": ["".join(map(str, plural)) for plural in plurals]}
    return json.dumps(script, ensure_ascii=False).replace("<", "\\u003c")
