"""Telegram's webhook: requests with the secret token become updates, all others are refused by their headers alone."""

import hmac
import logging

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from telegram import Update

from bots.errors import one_line
from bots.http.bodies import BodyLimit
from bots.telegram.app import TelegramApplication
from bots.telegram.update_queue import RetryUpdate

log = logging.getLogger(__name__)

HEADER = b"x-telegram-bot-api-secret-token"
MAX_UPDATE = 1_000_000  # bytes; an update holds the ids of files and not the files


def create_webhook(application: TelegramApplication, path: str, secret: str) -> Starlette:
    """The ASGI application that gives the updates posted to this path to the bot.

    It answers with 200 after the bot has done its work, and with 500 where Telegram shall send the update again.
    """

    async def take(request: Request) -> Response:
        try:
            update = Update.de_json(await request.json(), application.bot)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("something that is no update came with the right secret: %s", one_line(error))
            return PlainTextResponse("This is no update.", 400)
        try:
            await application.update_queue.put(update)
        except RetryUpdate:
            return Response(status_code=500)
        return Response()

    middleware = [Middleware(SecretToken, secret=secret), Middleware(BodyLimit, paths={}, max_body=MAX_UPDATE)]
    return Starlette(routes=[Route(path or "/", take, methods=["POST"])], middleware=middleware)


class SecretToken:
    """ASGI middleware that answers 403 to requests without the secret. Their bodies are not read."""

    def __init__(self, app: ASGIApp, *, secret: str):
        self._app, self._secret = app, secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(dict(scope["headers"]).get(HEADER, b""), self._secret):
            refusal = PlainTextResponse("The secret token is wrong.", 403, {"Connection": "close"})
            return await refusal(scope, receive, send)
        await self._app(scope, receive, send)
