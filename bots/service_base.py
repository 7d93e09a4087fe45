"""What all parts of the service share: what they work with, and who may see which caption."""

from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from bots.errors import NotFound, NotReady
from bots.limits import Limits
from bots.views import Policy
from db import requests
from db.engine import reading
from db.photo_store import PhotoStore
from db.tables import Caption, State
from worker.app import Wakes

DEFAULT_POLICY = Policy()
UNFINISHED = (State.QUEUED, State.RUNNING)


class ServiceBase:
    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        enqueue: Callable[[int], None],
        *,
        limits: Limits,
        policy: Policy = DEFAULT_POLICY,
        wakes: Wakes | None = None,
    ):
        """enqueue: takes a row's id, returns at once, raises nothing; a message that gets lost is sent again.

        wakes: tells front-ends of captions that were done as soon as they were asked for; without it they poll.
        """
        engine = sessions.kw["bind"]
        assert isinstance(engine, Engine)
        self.policy, self.limits, self.wakes = policy, limits, wakes
        self._sessions, self._store, self._enqueue = sessions, store, enqueue
        self._reading = reading(engine)

    def _find(self, session: Session, id: str, person: str | None, chat: str | None = None) -> Caption:
        """The caption, for its sender, for those in the chat where it stands, and for ourselves (person None).

        Raises NotFound, also where it exists: who may not see a caption does not learn that there is one.
        """
        caption = requests.find(session, id)
        if caption is None:
            raise NotFound
        same_chat = chat is not None and caption.chat == chat
        if person is None or caption.person.key == person or same_chat:
            return caption
        raise NotFound

    def _find_done(self, session: Session, id: str, person: str, chat: str | None) -> Caption:
        """The same for a caption that has its sentence. Raises NotReady too."""
        caption = self._find(session, id, person, chat)
        if caption.state is not State.DONE:
            raise NotReady
        return caption
