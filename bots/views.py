"""What the service gives to front-ends: plain values that outlive the database session they were read in."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from db.tables import State

Length = Literal["short", "normal", "long"]
Quality = Literal["quick", "careful"]


@dataclass(frozen=True)
class Options:
    """How a photo is to be captioned. None: as the person prefers, and if they never said, as BEAMS has it."""

    beams: int | None = None
    length: Length | None = None


AS_PREFERRED = Options()


@dataclass(frozen=True)
class Preferences:
    """What a person chose in their settings."""

    language: str | None = None  # None: as their platform says
    length: Length = "normal"
    quality: Quality = "careful"  # quick: greedy search, careful: BEAMS
    hedging: bool = True  # "Could be: ..." before what the model is unsure of
    training_consent: bool | None = None  # changed by `consent`; None: not asked yet


@dataclass(frozen=True)
class ChatView:
    """What those who manage a chat or channel switched on."""

    auto: bool = False  # photos are captioned without being asked
    remind_alt_text: bool = False


@dataclass(frozen=True)
class Submitted:
    """A photo that was accepted. known: its sentence was there at once."""

    id: str  # public
    row: int
    state: State
    known: bool


@dataclass(frozen=True)
class VoteCount:
    """Thumbs of one caption, and that of the person who asks: 1, -1, or 0 for none."""

    up: int
    down: int
    mine: int
    ask_consent: bool = False  # the sender has not yet been asked whether photos may be kept for training


@dataclass(frozen=True)
class CaptionView:
    """One caption as people see it: sentence, votes, where it came from."""

    id: str  # public
    row: int
    state: State
    text: str | None  # as the person prefers: hedged or plain; None until done
    error: str | None  # a kind sentence, if it failed
    confidence: float | None  # 0 to 1
    hedged: bool
    is_photo: bool  # False: blank, a screenshot, a page of text
    words: tuple[str, ...]
    alternatives: tuple[str, ...]
    attention: dict[str, Any] | None  # {"rows", "columns", "maps"}, see db/tables.py
    model: str | None  # version
    rank: int  # 0 the first sentence, n the n-th "another one"
    parent: str | None  # public id of the caption whose "another one" this is
    votes: VoteCount
    correction: str | None  # the person's own
    created_at: datetime
    finished_at: datetime | None
    has_photo: bool  # its file is still in the store
    # For the front-end, not for people
    front_end: str
    sender: str  # key of the person who sent the photo
    chat: str | None
    reply_to: dict[str, Any]
    message: str | None  # where the answer stands
    ask_consent: bool = False  # after a correction, as VoteCount has it


@dataclass(frozen=True)
class Delivery:
    """Captions that are due to be shown, in one message: a single one, or an album in its order."""

    captions: tuple[CaptionView, ...]
    attempts: int = 1  # this one included; waiting for the platform is none

    @property
    def rows(self) -> list[int]:
        return [caption.row for caption in self.captions]

    @property
    def reply_to(self) -> dict[str, Any]:
        return self.captions[0].reply_to

    @property
    def chat(self) -> str | None:
        return self.captions[0].chat

    @property
    def sender(self) -> str:
        return self.captions[0].sender


@dataclass(frozen=True)
class Forgotten:
    """What was removed of a person."""

    captions: int = 0
    photos: int = 0
    votes: int = 0
    corrections: int = 0


@dataclass(frozen=True)
class Policy:
    """The numbers that the service keeps to. Times in seconds, sizes in bytes and pixels."""

    beams: int = 3
    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    queue_limit: int = 1000
    retention: float = 24 * 3600.0
    feedback_retention: float = 365 * 86400.0
    left_chat_grace: float = 7 * 86400.0
    admins: frozenset[str] = field(default_factory=frozenset)
    exports: Path | None = None  # the folder of kept exports, from which people are removed who want to be forgotten
