"""Where the answer to a photo goes: what a caption's row keeps as JSON in `reply_to`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from bots.i18n import DEFAULT


@dataclass(frozen=True)
class ReplyTarget:
    """The photo's message. The fields are the stored JSON keys; those with defaults may be missing in old rows."""

    chat: int  # chat id
    message: int  # message id
    thread: int | None = None  # message_thread_id, in a forum topic
    language: str = DEFAULT  # of the sender's app
    kind: str = "photo"  # what was sent, see attachments.Kind
    file: str = ""  # file_unique_id of the image
    source: str = ""  # see keys.source_key
    album: str | None = None  # see keys.album_key
    spoiler: bool = False  # the photo is hidden until somebody taps it, so its caption is too

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Keys that this version does not know are ignored. Raises TypeError without a chat or message."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})
