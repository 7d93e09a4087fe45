"""Downloads images from Discord's servers."""

import asyncio
import logging

import aiohttp
import yarl

from bots.discord.failures import passes
from bots.discord.media import Media
from bots.errors import FileTooLarge, NotFetched
from bots.proxies import proxy_of

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # to download an image
RETRY_DELAY = 1.0  # seconds between attempts
CHUNK_SIZE = 1 << 16  # bytes


async def download(http: aiohttp.ClientSession, image: Media, *, max_bytes: int) -> bytes:
    """Download an image.

    Raises:
        FileTooLarge: the image has more than `max_bytes`.
        NotFetched: the download failed, after several attempts if the failure may be temporary.
    """
    if image.size and image.size > max_bytes:
        raise FileTooLarge(image.size, max_bytes)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return await _download(http, image.url, max_bytes)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("an image could not be downloaded: %s", type(error).__name__)
            if not passes(error) or attempt == MAX_ATTEMPTS:
                break
            await asyncio.sleep(RETRY_DELAY)
    raise NotFetched


async def _download(http: aiohttp.ClientSession, url: str, max_bytes: int) -> bytes:
    # Signed URLs go out byte for byte: a decoded %3A or %28 does not match the signature.
    async with http.get(yarl.URL(url, encoded=True), proxy=proxy_of(url)) as response:
        response.raise_for_status()
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_SIZE):
            data += chunk
            if len(data) > max_bytes:  # the reported size may be wrong
                raise FileTooLarge(len(data), max_bytes)
        return bytes(data)
