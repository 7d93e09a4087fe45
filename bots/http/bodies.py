"""Limits of the bodies of requests: bytes and time are counted as they arrive, also without Content-Length."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64_000  # bytes of a body without a photo, and of the parts of a form around a photo
FIRST_BYTES = 20.0  # seconds that a client may let us wait, and one second more for each SLOWEST bytes
SLOWEST = 1000  # bytes; a slow mobile connection has ten times as many in a second
TOO_SLOW = "This request took too long to arrive. Please send it once more."
AMBIGUOUS = "A request may have either Content-Length or Transfer-Encoding, and each of them once."


class BodyLimit:
    """ASGI middleware that answers 413 to a body of more than `max_body` bytes, and 408 to one that does not arrive.

    FastAPI's own max_body_size answers with plain text and not with JSON that says what to do. A request whose headers
    say in two ways where it ends is answered with 400: a proxy in front of us may have read it in the other way.

    Args:
        paths: path -> another limit, in bytes.
    """

    def __init__(self, app: ASGIApp, *, paths: dict[str, int], max_body: int = MAX_BODY):
        self.app, self.paths, self.max_body = app, paths, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if sum(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]) > 1:
            refusal = JSONResponse({"detail": AMBIGUOUS, "reason": "bad-request"}, 400, {"Connection": "close"})
            return await refusal(scope, receive, send)
        limit, received, waited = self.paths.get(scope["path"], self.max_body), 0, 0.0
        arriving, clock = True, asyncio.get_running_loop().time

        async def receive_counted() -> Message:
            nonlocal received, waited, arriving
            if not arriving:  # the application waits for the client to go away
                return await receive()
            began = clock()
            try:
                async with asyncio.timeout(FIRST_BYTES + received / SLOWEST - waited):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
            waited += clock() - began
            received += len(message.get("body", b""))
            arriving = message.get("more_body", False)
            if received > limit:
                raise HTTPException(413, f"The body of this request may have at most {limit} bytes.")
            return message

        await self.app(scope, receive_counted, send)
