"""Finds the image in a message by one walk over all that it carries, so that new kinds of messages need no new code.

The walk is over the message as Telegram sends it, with what the library does not know. A file is recognised by its own
fields: the sizes of a photo, its MIME type, its thumbnail.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Literal

from telegram import ExternalReplyInfo, Message
from telegram.ext import filters

from bots.service.photo_check import SUFFIXES

Json = Mapping[str, Any]
Kind = Literal["photo", "sticker", "animation", "video"]
Missing = Literal["video", "story", "paid"]  # what bots cannot see: a video without a preview, a story, paid media
MIN_SIDE = 1024  # pixels: the longest side of what the photo store keeps
ELSEWHERE = {  # fields about other messages, people and chats, whose pictures this message does not show
    *("reply_to_message", "external_reply", "reply_to_story", "pinned_message", "forward_origin", "quote"),
    *("from", "chat", "sender_chat", "via_bot", "new_chat_members", "left_chat_member", "users_shared", "chat_shared"),
    *("entities", "caption_entities", "reply_markup", "passport_data"),
}


@dataclass(frozen=True)
class ImageFile:
    """A file to download. file_unique_id is the same for the same file, whoever sends it."""

    kind: Kind
    file_id: str
    file_unique_id: str
    file_size: int | None  # bytes, where Telegram gives it
    spoiler: bool = False  # hidden until somebody taps it, or pays for it


def find_image(message: Message | ExternalReplyInfo) -> ImageFile | None:
    """The first image that can be captioned, or None. Of what moves it is the preview."""
    data = message.to_dict()
    image = next((one for one in _walk("", data) if isinstance(one, ImageFile)), None)
    hidden = bool(data.get("has_media_spoiler")) or "paid_media" in data
    return replace(image, spoiler=True) if image and hidden else image


def find_missing(message: Message | ExternalReplyInfo) -> Missing | None:
    """What a message without an image shows to people but not to bots, if anything."""
    return next((one for one in _walk("", message.to_dict()) if not isinstance(one, ImageFile)), None)


def _walk(name: str, value: Any) -> Iterator[ImageFile | Missing]:
    """All images in a field of a message. Those that bots cannot see are named."""
    if isinstance(value, list) and value and all(_is_size(one) for one in value):
        yield _image("photo", _best_size(value))
    elif isinstance(value, list):
        for one in value:
            yield from _walk(name, one)
    elif isinstance(value, Mapping) and "file_id" in value:
        yield from _file(name, value)
    elif isinstance(value, Mapping):
        if name == "story":
            yield "story"
        elif name == "paid_media" and value.get("type") == "preview":
            yield "paid"
        # The message of an animation has the same file as a document too.
        for inner in sorted(value.keys() - ELSEWHERE, key=lambda key: (key == "document", key)):
            yield from _walk(inner, value[inner])


def _file(name: str, file: Json) -> Iterator[ImageFile | Missing]:
    moves = file.get("is_animated") or file.get("is_video") or _is_video(file)
    if sizes := file.get("photo"):  # of a live photo, which is a video otherwise
        yield _image("photo", _best_size(sizes))
    elif name == "sticker" and not moves:
        yield _image("sticker", file)
    elif _is_image(file):
        yield _image("photo", file)
    elif moves:
        kind: Kind = "sticker" if name == "sticker" else "animation" if name == "animation" else "video"
        preview = _best_size(file["cover"]) if file.get("cover") else file.get("thumbnail")
        yield _image(kind, preview) if preview else "video"


def _is_size(value: Any) -> bool:
    """Whether this is one of the sizes of a photo: it has an extent and nothing that says what it is."""
    known = {"file_id", "width", "height"}
    return isinstance(value, Mapping) and known <= value.keys() and not {"mime_type", "duration", "type"} & value.keys()


def _is_video(file: Json) -> bool:
    """Whether a file has a length and an extent, as videos and video notes have, or is one by its type."""
    extent = "width" in file or "length" in file
    return ("duration" in file and extent) or file.get("mime_type", "").startswith("video/")


def _is_image(file: Json) -> bool:
    """Whether the MIME type or the file name says so. The content is checked after the download."""
    return file.get("mime_type", "").startswith("image/") or _suffix(file) in SUFFIXES


def _suffix(file: Json) -> str:
    return PurePath(file.get("file_name", "")).suffix.lower()


def _best_size(sizes: list[Json]) -> Json:
    """The smallest size that is large enough, else the largest."""
    ascending = sorted(sizes, key=lambda size: max(size["width"], size["height"]))
    return next((size for size in ascending if max(size["width"], size["height"]) >= MIN_SIDE), ascending[-1])


def _image(kind: Kind, file: Json) -> ImageFile:
    return ImageFile(kind, file["file_id"], file["file_unique_id"], file.get("file_size"))


class _HasImage(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return find_image(message) is not None


HAS_IMAGE = _HasImage() & ~filters.StatusUpdate.ALL
