"""What every front-end can do. Plain synchronous calls, each one transaction: async callers use asyncio.to_thread.

Persons are keys: "web:SESSION", "telegram:USER", "discord:USER". A caption is named by its public id, which fits a
button. What people did wrong raises a UserError whose sentence can be shown as it is.

A caption belongs to who sent its photo. Others may vote on it, correct it or ask for another one only in the chat in
which it stands: the front-end passes `chat` when it has seen the caption's message there. On the web there are no
chats. To everybody else a caption does not exist: NotFound.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from bots.administering import Administering
from bots.answering import Answering
from bots.caption_views import caption_views
from bots.errors import PhotoGone
from bots.feedback import Feedback
from bots.people import People
from bots.submitting import Submitting
from bots.upkeep import Upkeep
from bots.views import CaptionView
from db import people, photos, requests
from db.forgetting import delete_captions
from db.photo_store import MissingPhoto
from db.statistics import Statistics, statistics
from db.tables import Caption


class CaptionService(Submitting, Feedback, Answering, People, Administering):
    """Photos in: submitting.py. Thumbs: feedback.py. Answers to chats: answering.py. Preferences: people.py.

    Models and exports: administering.py.
    """

    def result(self, id: str, *, person: str | None, chat: str | None = None) -> CaptionView:
        """A caption. person None: for the front-end itself, whoever asks. Raises NotFound."""
        with self._reading() as session:
            return caption_views(session, [self._find(session, id, person, chat)], person)[0]

    def photo(self, id: str, *, person: str) -> bytes:
        """The stored JPEG, for its sender. Raises NotFound, PhotoGone."""
        with self._reading() as session:
            photo = self._find(session, id, person).photo
        if photo.dropped_at is not None:
            raise PhotoGone
        try:
            return self._store.read(photo.sha256)
        except MissingPhoto:
            raise PhotoGone from None

    def captions_of(self, person: str, limit: int, before: str | None = None) -> list[CaptionView]:
        """A person's captions, newest first; `before` is the id of the last one of the page before."""
        with self._reading() as session:
            viewer = people.find(session, person)
            last = self._find(session, before, person).id if before else None
            rows = requests.of_person(session, viewer.id, limit, last) if viewer else []
            return caption_views(session, rows, person)

    def by_message(self, message: str) -> list[CaptionView]:
        """The captions that stand in a message, in order: for reactions and replies to it."""
        with self._reading() as session:
            return caption_views(session, requests.by_message(session, message), None)

    def by_source(self, source: str) -> list[CaptionView]:
        """The captions asked for by a message: `source` itself, and SOURCE/n."""
        with self._reading() as session:
            return caption_views(session, requests.by_source(session, source), None)

    def remove(self, id: str, *, person: str) -> list[CaptionView]:
        """Remove a caption with its "another ones" and, if no other caption needs it, the photo. Raises NotFound.

        Returns what was removed: its answers go too.
        """
        with self._sessions.begin() as session:
            chain = requests.chain(session, self._find(session, id, person))
            views = caption_views(session, chain, None)
            files = _delete(session, chain)
        self._drop(files)
        return views

    def remove_source(self, source: str) -> list[CaptionView]:
        """The same for a message that was deleted on its platform. Returns what was removed: its answers go too."""
        with self._sessions.begin() as session:
            asked = requests.by_source(session, source)
            chain = {row.id: row for caption in asked for row in requests.chain(session, caption)}
            views = caption_views(session, list(chain.values()), None)
            files = _delete(session, list(chain.values()))
        self._drop(files)
        return views

    def stats(self, since: datetime | None = None) -> Statistics:
        """Approval, volume and speed by model version and front-end; str() of it is a table."""
        with self._reading() as session:
            return statistics(session, since)

    def upkeep(self) -> Upkeep:
        """What keeps this service in order; start it in one process at least."""
        return Upkeep(self._sessions, self._store, self._enqueue, self.policy)

    def requeue_stale(self) -> int:
        """Send waiting captions whose message got lost, and take back those of dead workers. Returns how many."""
        return self.upkeep().requeue()

    def drop_old_photos(self) -> int:
        """Keep to the retention times. Returns how many photos were dropped."""
        return self.upkeep().clear()

    def _drop(self, files: list[str]) -> None:
        for sha256 in files:
            photos.drop_orphan(self._sessions, self._store, sha256)


def _delete(session: Session, captions: list[Caption]) -> list[str]:
    return delete_captions(session, [caption.id for caption in captions])
