"""Finds the images that a message carries, by one walk over all that it shows: attachments, embeds, stickers, the
components of newer messages, and messages forwarded in it.
"""

import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import discord
import yarl

from bots.service.photo_check import SUFFIXES

MAX_IMAGES = 10  # of one message, as many as Discord allows attachments
SPOILED_TEXT = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)
PARTS = ("attachments", "embeds", "stickers", "components", "message_snapshots")  # of a message
INNER = ("children", "items", "accessory", "component")  # of a component

for suffix in SUFFIXES - mimetypes.types_map.keys():  # not every system knows them
    mimetypes.add_type(f"image/{suffix.removeprefix('.')}", suffix)

Kind = Literal["image", "video", "drawing", "file"]  # drawing: a sticker that is a description of how to draw it


@dataclass(frozen=True)
class Media:
    """A file that a message shows, on Discord's servers."""

    kind: Kind
    url: str
    size: int | None = None  # bytes; None if Discord does not report it
    alt_text: str | None = None
    spoiler: bool = False  # hidden until somebody wants to see it
    attachment: int | None = None  # id, of an attachment that a component may show


def image_of(attachment: discord.Attachment) -> Media:
    """An attachment that was handed over as a photo, whatever its name and type say."""
    return replace(_attachment(attachment), kind="image")


def images_of(message: discord.Message) -> list[Media]:
    """The images of a message and of messages forwarded in it, in order, without duplicates.

    Without the message content intent Discord hides the images of messages that do not concern the bot.
    """
    found = {one.attachment or one.url: one for one in _walk(message) if one.kind == "image"}
    return list(found.values())[:MAX_IMAGES]


def other_kind(*shown: discord.Message | discord.Attachment) -> Kind | None:
    """What a message without an image carries instead; None if it is nothing but text."""
    return next((one.kind for part in shown for one in _walk(part) if one.kind != "image"), None)


def _walk(part: Any, spoiler: bool = False) -> Iterator[Media]:
    """All media in a part of a message. spoiler: whether the part is inside one that is hidden."""
    spoiler = spoiler or getattr(part, "spoiler", False)
    match part:
        case discord.Attachment():
            yield _attachment(part)
        case discord.Embed():
            yield from _embed(part, spoiler)
        case discord.StickerItem():
            kind: Kind = "drawing" if part.format is discord.StickerFormatType.lottie else "image"
            yield Media(kind, part.url, alt_text=part.name)
        case discord.MediaGalleryItem() | discord.ThumbnailComponent() | discord.FileComponent():
            yield from _unfurled(part, spoiler)
        case discord.Message() | discord.MessageSnapshot():
            hidden = SPOILED_TEXT.findall(part.content)
            for inner in _inner(part, PARTS):
                link = inner.url if isinstance(inner, discord.Embed) else None
                yield from _walk(inner, any(link in text for text in hidden) if link else False)
        case _:
            for inner in _inner(part, INNER):
                yield from _walk(inner, spoiler)


def _inner(part: Any, names: Sequence[str]) -> Iterator[Any]:
    for name in names:
        inner = getattr(part, name, None)
        yield from inner if isinstance(inner, (list, tuple)) else [inner] if inner is not None else []


def _attachment(part: discord.Attachment) -> Media:
    kind = _kind(part.content_type, part.filename) or "file"
    return Media(kind, part.url, part.size, part.description or None, part.is_spoiler(), part.id)


def _embed(part: discord.Embed, spoiler: bool) -> Iterator[Media]:
    # Only through Discord's proxy: the original URL could point into our own network.
    if url := part.image.proxy_url or part.thumbnail.proxy_url:
        yield Media("image", url, spoiler=spoiler)
    elif part.video.url:
        yield Media("video", part.video.url)


def _unfurled(
    part: discord.MediaGalleryItem | discord.ThumbnailComponent | discord.FileComponent, spoiler: bool
) -> Iterator[Media]:
    media, alt_text = part.media, getattr(part, "description", None)
    url = media.url if media.attachment_id else media.proxy_url  # as with embeds
    if not url:
        return
    is_file = isinstance(part, discord.FileComponent)
    kind = _kind(media.content_type, yarl.URL(media.url).name) or ("file" if is_file else "image")
    yield Media(kind, url, alt_text=alt_text, spoiler=spoiler or media.flags.spoiler, attachment=media.attachment_id)


def _kind(content_type: str | None, name: str) -> Kind | None:
    """What a file is by its type or its name; None if neither says it."""
    for guess in (content_type, mimetypes.guess_type(name)[0]):
        if guess and guess.startswith(("image/", "video/")):
            return "image" if guess.startswith("image/") else "video"
    return "file" if content_type else None
