"""The picture in a message: which of its files to load, and what kind of thing it is a picture of."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from telegram import Document, Message, PhotoSize
from telegram.ext import filters

Kind = Literal["photo", "sticker", "animation", "video"]
ENOUGH = 1024  # pixels: the longest side of what is kept of a photo
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif", ".avif"}


@dataclass(frozen=True)
class Picture:
    """bytes: as Telegram says; None if it does not. unique: the same for the same file, whoever sends it."""

    kind: Kind
    file: str
    unique: str
    bytes: int | None


def picture_in(message: Message) -> Picture | None:
    """What can be captioned of a message; None if there is nothing."""
    if message.photo:
        return _picture("photo", _best(message.photo))
    if message.animation:  # Telegram turns GIFs into films; asked before `document`, which stands there too
        return _picture("animation", message.animation.thumbnail)
    if message.video or message.video_note:
        film = message.video or message.video_note
        return _picture("video", film and film.thumbnail)
    if sticker := message.sticker:
        moves = sticker.is_animated or sticker.is_video
        return _picture("sticker", sticker.thumbnail if moves else sticker)
    if document := message.document:
        if _is_picture(document):
            return _picture("photo", document)
        if (document.mime_type or "").startswith("video/"):
            return _picture("video", document.thumbnail)
    return None


def _best(sizes: "tuple[PhotoSize, ...]") -> PhotoSize:
    """The smallest that is large enough."""
    by_size = sorted(sizes, key=lambda size: max(size.width, size.height))
    return next((size for size in by_size if max(size.width, size.height) >= ENOUGH), by_size[-1])


def _picture(kind: Kind, file: object) -> Picture | None:
    if file is None:
        return None
    return Picture(kind, file.file_id, file.file_unique_id, file.file_size)  # type: ignore[attr-defined]


def _is_picture(document: Document) -> bool:
    """By what the sender's app says; what it really is, is seen when it is here."""
    kind, name = document.mime_type or "", document.file_name or ""
    return kind.startswith("image/") or PurePath(name).suffix.lower() in SUFFIXES


class _HasPicture(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return picture_in(message) is not None


HAS_PICTURE = _HasPicture()
