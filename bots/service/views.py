"""What the service returns to front-ends: plain values that do not depend on a database session."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from db.tables import ReplyTo, State
from db.votes import Thumbs


@dataclass(frozen=True)
class ChatView:
    """The switches of a chat or channel, which its admins set."""

    auto: bool = False  # caption every photo without being asked
    remind_alt_text: bool = False


@dataclass(frozen=True)
class Submitted:
    """An accepted photo. known: an earlier caption was reused, so it is finished already."""

    id: str  # public
    row: int
    state: State
    known: bool


@dataclass(frozen=True)
class VoteCount(Thumbs):
    """Votes on one caption, as a front-end shows them."""

    ask_consent: bool = False  # after a vote: ask now whether photos may be used for training


@dataclass(frozen=True)
class CaptionView:
    """One caption with its votes and its origin."""

    id: str  # public
    row: int
    state: State
    text: str | None  # hedged or plain, as its sender prefers; None until finished
    error: str | None  # if it failed, a sentence for people
    confidence: float | None  # 0 to 1
    hedged: bool
    is_photo: bool  # False: blank, a screenshot, a page of text
    words: tuple[str, ...]
    alternatives: tuple[str, ...]
    attention: dict[str, Any] | None  # {"rows", "columns", "maps"}, see db/tables/captions.py
    model: str | None  # version
    rank: int  # 0: the first caption; n: the n-th "another one"
    album: str | None  # key of the photos that were sent together with this one
    position: int  # in the album
    file_name: str | None  # as the sender knows it
    parent: str | None  # public id of the caption whose "another one" this is
    votes: VoteCount
    correction: str | None  # what the person last wrote about this photo, for this caption or another one
    created_at: datetime
    finished_at: datetime | None
    has_photo: bool  # whether its file is still stored
    # For the front-end only
    front_end: str
    sender: str  # key of the person who sent the photo
    chat: str | None
    reply_to: ReplyTo
    message: str | None  # key of the message that shows it
    ask_consent: bool = False  # after a correction; see VoteCount
    labelled: bool = False  # LABEL_CAPTIONS is on, and a model wrote the text


@dataclass(frozen=True)
class Delivery:
    """Captions to be shown in one message: a single one, or an album in its order."""

    captions: tuple[CaptionView, ...]
    attempts: int = 1  # including this one; waits that the platform asked for do not count

    @property
    def rows(self) -> list[int]:
        return [caption.row for caption in self.captions]

    @property
    def reply_to(self) -> ReplyTo:
        return self.captions[0].reply_to

    @property
    def chat(self) -> str | None:
        return self.captions[0].chat

    @property
    def sender(self) -> str:
        return self.captions[0].sender


@dataclass(frozen=True)
class Policy:
    """Limits and retention times. Times in seconds, sizes in bytes and pixels."""

    beams: int = 3
    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    queue_limit: int = 1000  # photos that may wait in total, and those of one person and one chat
    person_queue_limit: int = 200
    chat_queue_limit: int = 500
    retention: float = 24 * 3600.0
    feedback_retention: float = 365 * 86400.0
    left_chat_grace: float = 7 * 86400.0
    admins: frozenset[str] = field(default_factory=frozenset)
    exports: Path | None = None  # folder of exports; those that contain a person are deleted with them
    label_captions: bool = False  # "AI:" before what a model wrote
