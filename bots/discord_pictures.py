"""Pictures in Discord's messages: attachments, what embeds show, what was forwarded; and reading their bytes."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import aiohttp
import discord

from bots.errors import FileTooLarge, NotFetched

log = logging.getLogger(__name__)

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff"}
MOST = 10  # as many as a message can have attachments
TRIES, PAUSE, CHUNK = 3, 1.0, 1 << 16


@dataclass(frozen=True)
class Picture:
    """One picture that Discord keeps. size: bytes, if Discord says."""

    url: str
    size: int | None = None
    alt: str | None = None


def picture_of(attachment: discord.Attachment) -> Picture:
    return Picture(attachment.url, attachment.size, attachment.description or None)


def pictures_of(message: discord.Message) -> list[Picture]:
    """All pictures of a message, in order. Without the message content intent most messages seem to have none."""
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    found = {picture.url: picture for part in parts for picture in _pictures(part)}
    return list(found.values())[:MOST]


def _pictures(part: discord.Message | discord.MessageSnapshot) -> Iterator[Picture]:
    for attachment in part.attachments:
        kind, suffix = attachment.content_type or "", PurePath(attachment.filename).suffix.lower()
        if kind.startswith("image/") or suffix in SUFFIXES:
            yield picture_of(attachment)
    for embed in part.embeds:
        # Only through Discord's proxy: the address itself could be anything, even one in our own network.
        if url := embed.image.proxy_url or embed.thumbnail.proxy_url:
            yield Picture(url)


async def read(http: aiohttp.ClientSession, picture: Picture, *, most: int) -> bytes:
    """The bytes of a picture. Raises FileTooLarge above `most` bytes, NotFetched when Discord does not give it."""
    if picture.size and picture.size > most:
        raise _too_large(picture.size, most)
    for left in reversed(range(TRIES)):
        try:
            return await _download(http, picture.url, most)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("a picture could not be fetched: %s", type(error).__name__)
            if left and not (isinstance(error, aiohttp.ClientResponseError) and error.status < 500):
                await asyncio.sleep(PAUSE)
            else:
                break
    raise NotFetched


async def _download(http: aiohttp.ClientSession, url: str, most: int) -> bytes:
    async with http.get(url) as answer:
        answer.raise_for_status()
        data = bytearray()
        async for chunk in answer.content.iter_chunked(CHUNK):
            data += chunk
            if len(data) > most:  # whatever was announced
                raise _too_large(len(data), most)
        return bytes(data)


def _too_large(size: int, most: int) -> FileTooLarge:
    return FileTooLarge(megabytes=size / 1e6, limit=most / 1e6)
