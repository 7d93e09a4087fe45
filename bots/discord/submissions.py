"""Downloads images from Discord and submits them to the service.

It works on a few images at a time, which limits memory and threads, and lets pending acknowledgements go first.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import aiohttp

from bots.discord.acknowledgements import PendingAcknowledgements
from bots.discord.downloads import download
from bots.discord.keys import FRONT_END, numbered_source_key
from bots.discord.media import Media
from bots.discord.reply_target import ReplyTarget
from bots.errors import Later, UserError
from bots.service.outages import when_available
from bots.service.service import CaptionService
from db.caption_options import DEFAULT_OPTIONS, CaptionOptions
from db.caption_requests import CaptionRequest

log = logging.getLogger(__name__)

MAX_CONCURRENT = 8  # images being downloaded or checked
TIMEOUT = 60.0  # seconds to download one image
MAX_REFUSED = 1000  # requests to keep in `Submissions.refused`

Refusals = dict[int, UserError]  # number of an image -> why it was refused


class Submissions:
    """Submits the images of requests.

    Attributes:
        incomplete: sources of requests whose images are still being submitted.
        refused: errors of images whose request has other images, by source. The delivery shows and then removes them.
    """

    def __init__(self, service: CaptionService, acknowledgements: PendingAcknowledgements, max_bytes: int):
        self._service, self._acknowledgements, self._max_bytes = service, acknowledgements, max_bytes
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._http: aiohttp.ClientSession | None = None
        self.incomplete: set[str] = set()
        self.refused: dict[str, Refusals] = {}

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self._http = aiohttp.ClientSession(timeout=timeout, requote_redirect_url=False)

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    async def submit(
        self,
        images: Sequence[Media],
        target: ReplyTarget,
        *,
        sender: str,
        chat: str | None,
        options: CaptionOptions = DEFAULT_OPTIONS,
    ) -> Refusals:
        """Submit the images of one request.

        Args:
            sender: key of the person who asks.
            chat: key of the chat whose members share the captions, if any.

        Returns:
            Why each image was refused, if none was accepted. Otherwise empty, because the delivery shows refusals.
        """
        several, accepted, source = len(images) > 1, 0, target.source
        refused: Refusals = {}
        self.incomplete.add(source)
        try:
            for number, image in enumerate(images, start=1):
                request = CaptionRequest(
                    sender=sender,
                    front_end=FRONT_END,
                    source=numbered_source_key(source, number),
                    reply_to=replace(target, number=number if several else 0, spoiler=image.spoiler).to_json(),
                    chat=chat,
                    album=source if several else None,
                    position=number,
                    options=options,
                )
                try:
                    await self._submit_one(image, request)
                    accepted += 1
                except UserError as error:
                    refused[number if several else 0] = error
                    if isinstance(error, Later):  # the other images would be refused too
                        break
            if accepted and refused:
                self._remember(source, refused)
        finally:
            self.incomplete.discard(source)
        return {} if accepted else refused

    async def _submit_one(self, image: Media, request: CaptionRequest) -> None:
        async with self._slots:
            await self._acknowledgements.wait_for_none()
            assert self._http is not None, "not open"
            data = await download(self._http, image, max_bytes=self._max_bytes)
            row = (await when_available(self._service.submissions.submit, data, request)).row
        log.debug("image %s is caption %d", request.source, row, extra={"caption": row})

    def _remember(self, source: str, refused: Refusals) -> None:
        self.refused[source] = refused
        if len(self.refused) > MAX_REFUSED:  # a caption that is removed before its delivery leaves an entry behind
            del self.refused[next(iter(self.refused))]
