"""Reading what people send, and no more of it than may be: bodies are counted while they come in, chunked ones too."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.errors import FileTooLarge, PhotoTooLarge, StorageFull

USUAL = 64_000  # bytes of a body that holds no photo, and of what stands around a photo in its form
SECONDS = 600  # an upload may take: a large photo over a slow phone
HOW = "Send one photo as multipart/form-data, in the field `photo`."


class BodyLimit:
    """ASGI middleware: reading more than `usual` bytes of a body, or what `paths` allows there, raises 413.

    FastAPI's own max_body_size puts a bare text in place of our answer, which says what would do.
    """

    def __init__(self, app: ASGIApp, *, paths: dict[str, int], usual: int = USUAL):
        self.app, self.paths, self.usual = app, paths, usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit, seen = self.paths.get(scope["path"], self.usual), 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"A body may have at most {limit} bytes here.")
            return message

        await self.app(scope, counted, send)


@asynccontextmanager
async def uploaded_photo(request: Request, max_bytes: int) -> AsyncIterator[BinaryIO]:
    """The file in the field `photo`; beyond a megabyte it lies on disk. max_bytes: of the photo.

    Raises FileTooLarge, PhotoTooLarge, StorageFull, and HTTPException for a request that holds no photo.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes + USUAL:
        raise FileTooLarge(megabytes=int(length) / 1e6, limit=max_bytes / 1e6)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise HTTPException(415, HOW)
    try:
        async with asyncio.timeout(SECONDS):
            form = await request.form(max_files=1, max_fields=8, max_part_size=4096)
    except TimeoutError:
        raise HTTPException(408, "The photo took too long to arrive. Please send it once more.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The connection ended before the photo was complete.") from None
    except StarletteHTTPException as error:
        raise PhotoTooLarge if error.status_code == 413 else HTTPException(422, HOW) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StorageFull(retry_after=300) from None
    try:
        photo = form.get("photo")
        if not isinstance(photo, UploadFile):
            raise HTTPException(422, HOW)
        yield photo.file
    finally:
        await form.close()
