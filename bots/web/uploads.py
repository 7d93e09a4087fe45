"""Reads uploads and limits their size and the time that they may take."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from bots.errors import FileTooLarge, PhotoTooLarge, StorageFull, StorageUnavailable
from bots.http.bodies import MAX_BODY
from bots.service.service import CaptionService
from bots.service.views import Submitted
from db.caption_requests import CaptionRequest
from db.store_state import NO_SPACE

log = logging.getLogger(__name__)

UPLOAD_TIMEOUT = 600  # seconds; enough for a large photo over a slow mobile connection
MAX_CHECKS = 4  # photos of one process that are in memory at a time; the others wait on disk
MAX_FILE_NAME = 200  # characters
HOW_TO_UPLOAD = "Send one photo as multipart/form-data, in the field `photo`."


class PhotoUploads:
    """Reads the photo of a request and gives it to the service. max_bytes: of a photo."""

    def __init__(self, service: CaptionService, max_bytes: int):
        self._service, self._max_bytes = service, max_bytes
        self._checking = anyio.CapacityLimiter(MAX_CHECKS)

    async def submit(self, request: Request, wanted: CaptionRequest) -> Submitted:
        """Raises what `uploaded_photo` and `service.submissions.submit` raise."""

        def submit(photo: UploadFile) -> Submitted:
            named = replace(wanted, file_name=file_name(photo.filename))
            return self._service.submissions.submit(photo.file.read(), named)

        async with uploaded_photo(request, self._max_bytes) as photo:
            return await anyio.to_thread.run_sync(submit, photo, limiter=self._checking)


def file_name(given: str | None) -> str | None:
    """The name of a file without its folders and what cannot be shown; None if nothing is left."""
    name = re.split(r"[/\\]", given or "")[-1]
    shown = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    return shown.strip()[-MAX_FILE_NAME:] or None  # the end has the extension


@asynccontextmanager
async def uploaded_photo(request: Request, max_bytes: int) -> AsyncIterator[UploadFile]:
    """The file in the form field `photo`; a file of more than a megabyte is on disk. max_bytes: of the photo.

    Raises:
        FileTooLarge: by Content-Length.
        PhotoTooLarge: by the bytes that arrived.
        StorageFull, StorageUnavailable: no temporary file can be written.
        HTTPException: the request contains no photo, or did not arrive completely or in time.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes + MAX_BODY:
        raise FileTooLarge(int(length), max_bytes)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise HTTPException(415, HOW_TO_UPLOAD)
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT):
            form = await request.form(max_files=1, max_fields=8, max_part_size=4096)
    except TimeoutError:
        raise HTTPException(408, "The photo took too long to arrive. Please send it once more.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The connection ended before the photo was complete.") from None
    except StarletteHTTPException as error:
        if error.status_code == 400:  # of the parser of forms
            raise HTTPException(422, HOW_TO_UPLOAD) from None
        raise PhotoTooLarge if error.status_code == 413 else error from None
    except OSError as error:
        if error.errno not in NO_SPACE:  # of the folder for temporary files: read-only, or broken
            log.warning("uploads cannot be kept until they are stored: %s", error)
            raise StorageUnavailable(retry_after=300) from None
        raise StorageFull(retry_after=300) from None
    try:
        photo = form.get("photo")
        if not isinstance(photo, UploadFile):
            raise HTTPException(422, HOW_TO_UPLOAD)
        yield photo
    finally:
        await form.close()
