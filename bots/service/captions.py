"""Finds captions and their photos, and deletes them."""

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from bots.errors import PhotoGone, StorageUnavailable, one_line
from bots.service.base import STORE_AWAY, Backend, find_caption
from bots.service.caption_export import ExportedCaption, exported
from bots.service.views import CaptionView
from db import caption_requests, caption_search, people, photos
from db.erasure import delete_captions
from db.photo_store import MissingPhoto
from db.store_state import StoreUnavailable
from db.tables import Caption

log = logging.getLogger(__name__)


class Captions:
    """`service.captions`."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def get(self, id: str, *, person: str | None, chat: str | None = None) -> CaptionView:
        """One caption. person None: the front-end itself asks, for any caption.

        Raises:
            NotFound
        """
        with self._backend.reading() as session:
            return self._backend.views(session, [find_caption(session, id, person, chat)], person)[0]

    def photo(self, id: str, *, person: str) -> bytes:
        """The stored JPEG of a caption that this person requested.

        Raises:
            NotFound
            PhotoGone
            StorageUnavailable
        """
        with self._backend.reading() as session:
            photo = find_caption(session, id, person).photo
        if photo.dropped_at is not None:
            raise PhotoGone
        try:
            return self._backend.store.read(photo.sha256)
        except MissingPhoto:
            raise PhotoGone from None
        except StoreUnavailable as error:
            raise StorageUnavailable(retry_after=STORE_AWAY) from error

    def of_person(
        self, person: str, limit: int, before: str | None = None, search: str | None = None
    ) -> list[CaptionView]:
        """A page of a person's captions, newest first.

        Args:
            before: id of the last caption of the previous page.
            search: only captions with all of these words, or words that begin so, see db/caption_search.py.

        Raises:
            NotFound: there is no caption with the id `before`.
        """
        with self._backend.reading() as session:
            viewer = people.find(session, person)
            last = find_caption(session, before, person).id if before else None
            if viewer is None:
                return []
            if search is None:
                return self._backend.views(session, caption_requests.of_person(session, viewer.id, limit, last), person)
            found = caption_search.find(session, viewer.id, search, limit, last)
            return self._backend.views(session, caption_requests.by_ids(session, found)[::-1], person)

    def export(self, person: str) -> Iterator[ExportedCaption]:
        """All finished captions of a person, newest first. They are read while they are taken."""
        return exported(self._backend.reading, person)

    def by_message(self, message: str) -> list[CaptionView]:
        """The captions that a message of the bot shows, in order; for reactions and replies to it."""
        with self._backend.reading() as session:
            return self._backend.views(session, caption_requests.by_message(session, message), None)

    def by_source(self, source: str) -> list[CaptionView]:
        """The captions that a person's message requested: with `source` itself or SOURCE/n as their source."""
        with self._backend.reading() as session:
            return self._backend.views(session, caption_requests.by_source(session, source), None)

    def remove(self, id: str, *, person: str) -> list[CaptionView]:
        """Delete a caption with every "another one" of it and, if no other caption needs it, the photo.

        Returns:
            The deleted captions, so that the front-end can delete its messages.

        Raises:
            NotFound
        """
        with self._backend.sessions.begin() as session:
            chain = caption_requests.chain(session, find_caption(session, id, person))
            views, files = self._delete(session, chain)
        self._drop(files)
        return views

    def remove_source(self, source: str) -> list[CaptionView]:
        """Like `remove`, for all captions that a message requested which was deleted on its platform."""
        with self._backend.sessions.begin() as session:
            requested = caption_requests.by_source(session, source)
            chains = {row.id: row for caption in requested for row in caption_requests.chain(session, caption)}
            views, files = self._delete(session, [*chains.values()])
        self._drop(files)
        return views

    def _delete(self, session: Session, rows: Sequence[Caption]) -> tuple[list[CaptionView], list[str]]:
        """Delete rows. Returns views of them, and the SHA-256 of photos that no caption needs any more."""
        caption_requests.lock(session, rows)  # a delivery may be noting right now which message shows them
        views = self._backend.views(session, rows, None)
        return views, delete_captions(session, [row.id for row in rows])

    def _drop(self, files: Sequence[str]) -> None:
        """The rows are gone already, so a store that is away now is swept later: see maintenance.py."""
        try:
            photos.drop_orphans(self._backend.sessions, self._backend.store, files)
        except StoreUnavailable as error:
            log.warning("%d photos are deleted when the store can be written: %s", len(files), one_line(error))
