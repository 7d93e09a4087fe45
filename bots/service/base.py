"""What all parts of the service share: the backend, and the rules who may access a caption."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from bots.errors import NotFound, NotReady
from bots.service.rate_limits import RateLimits
from bots.service.view_queries import caption_views
from bots.service.views import CaptionView, Policy
from db import caption_requests, chats
from db.engine import reading, sessions
from db.photo_store import PhotoStore
from db.tables import Caption, State
from worker.job_queue import Notifier

STORE_AWAY = 30.0  # seconds to wait while the photo store is away, or read-only
UNFINISHED = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Backend:
    """The database, photo store, queue and limits that the service works with."""

    engine: Engine
    store: PhotoStore
    enqueue: Callable[[int], None]  # sends a row's id to the workers; returns at once and never raises
    limits: RateLimits
    policy: Policy = field(default_factory=Policy)
    notifier: Notifier | None = None  # notifies front-ends of captions that needed no worker; None: front-ends poll

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        """Sessions that write; `sessions.begin()` is one transaction."""
        return sessions(self.engine)

    @cached_property
    def reading(self) -> sessionmaker[Session]:
        """Sessions that only read."""
        return reading(self.engine)

    def views(
        self, session: Session, captions: Sequence[Caption], person: str | None, *, ask_consent: bool = False
    ) -> list[CaptionView]:
        """See `caption_views`."""
        return caption_views(session, captions, person, label=self.policy.label_captions, ask_consent=ask_consent)


def find_caption(session: Session, id: str, person: str | None, chat: str | None = None) -> Caption:
    """Find a caption that this person, or somebody in this chat, may see. person None: the front-end itself asks.

    Raises:
        NotFound: also if the caption exists but the person may not see it.
    """
    caption = caption_requests.find(session, id)
    if caption is None:
        raise NotFound
    if person is None or caption.person.key == person or _same_chat(session, caption.chat, chat):
        return caption
    raise NotFound


def _same_chat(session: Session, theirs: str | None, chat: str | None) -> bool:
    """Whether both keys are those of one chat, which may have got another key meanwhile."""
    if theirs is None or chat is None or theirs == chat:
        return theirs is not None and theirs == chat
    return chats.current(session, theirs) == chats.current(session, chat)


def find_finished(session: Session, id: str, person: str, chat: str | None) -> Caption:
    """Like `find_caption`, but only a finished caption.

    Raises:
        NotFound: see `find_caption`.
        NotReady: the caption is not finished, or it failed.
    """
    caption = find_caption(session, id, person, chat)
    if caption.state is not State.DONE:
        raise NotReady
    return caption
