"""Photos in: checked, kept, written into a row, queued. A photo whose sentence is known gets it at once.

Known is what somebody here corrected, and then what the same model said of the same photo with the same options.
"""

import logging
from typing import Any

from sqlalchemy.orm import Session

from bots.caption_views import preferences_of
from bots.errors import Busy, NotReady, PhotoGone, StorageFull
from bots.photo_check import check_photo
from bots.service_base import UNFINISHED, ServiceBase
from bots.views import AS_PREFERRED, Options, Submitted
from db import backlog, correction_memory, model_registry, people, photos, requests
from db.perceptual_hash import perceptual_hash
from db.photo_store import StoreFull
from db.tables import Caption, Person, Photo, State

log = logging.getLogger(__name__)

FULL_STORE = 600.0  # seconds until a store without room is tried again


class Submitting(ServiceBase):
    def submit(
        self,
        data: bytes,
        *,
        sender: str,
        front_end: str,
        source: str | None,
        reply_to: dict[str, Any],
        chat: str | None = None,
        album: str | None = None,
        position: int = 0,
        options: Options = AS_PREFERRED,
    ) -> Submitted:
        """Take a photo. The same source again gives the caption it already has.

        Raises UnreadablePhoto, PhotoTooLarge, TooManyRequests, Busy, StorageFull.
        """
        if seen := self._seen_or_admitted(source, sender):
            return seen
        photo = check_photo(data, max_bytes=self.policy.max_bytes, max_pixels=self.policy.max_pixels)
        looks = perceptual_hash(photo.jpeg)
        try:
            self._store.save(photo.jpeg, photo.sha256)  # may be slow: not while the database is held
            with self._sessions.begin() as session:
                person = people.find_or_create(session, sender)
                kept = photos.keep(session, self._store, photo.jpeg, photo.sha256, photo.width, photo.height, looks)
                remembered = correction_memory.recall(session, looks, person.id, chat)
                wanted = self._options(options, person)
                caption, new = requests.create(
                    session,
                    photo=kept,
                    person=person,
                    front_end=front_end,
                    source=source,
                    reply_to=reply_to,
                    chat=chat,
                    album=album,
                    position=position,
                    options=wanted,
                    known=correction_memory.as_caption(remembered)
                    if remembered
                    else self._known(session, kept, wanted, chat or sender),
                )
        except StoreFull:
            log.exception("a photo could not be kept")
            raise StorageFull(retry_after=FULL_STORE) from None
        return self._send_on(caption) if new else _submitted(caption)

    def another(
        self, id: str, *, person: str, source: str | None, reply_to: dict[str, Any], chat: str | None = None
    ) -> Submitted:
        """Ask for another sentence about the same photo: a new caption, which belongs to who sent the photo.

        While one is on its way, it is that one. Raises NotFound, NotReady, PhotoGone, TooManyRequests, Busy.
        """
        if seen := self._seen_or_admitted(source, person):
            return seen
        with self._sessions.begin() as session:
            parent = self._find(session, id, person, chat)
            if parent.state in UNFINISHED:
                raise NotReady
            if parent.photo.dropped_at is not None:
                raise PhotoGone
            chain = requests.chain(session, parent)
            if chain[-1].state in UNFINISHED:
                return _submitted(chain[-1])
            caption, new = requests.create(
                session,
                photo=parent.photo,
                person=parent.person,
                front_end=parent.front_end,
                source=source,
                reply_to=reply_to,
                chat=parent.chat,
                options=parent.options,
                parent=parent,
                rank=chain[-1].rank + 1,
            )
        return self._send_on(caption) if new else _submitted(caption)

    def _seen_or_admitted(self, source: str | None, person: str) -> Submitted | None:
        """The caption that this source has; else there must be room for another one. Raises Busy, TooManyRequests."""
        with self._reading() as session:
            if source is not None:
                for caption in requests.by_source(session, source):
                    if caption.source == source:
                        return _submitted(caption)
            waiting = backlog.backlog(session).photos
            if waiting >= self.policy.queue_limit:
                raise Busy(retry_after=backlog.seconds_to_wait(session, waiting))
        self.limits.spend(person)
        return None

    def _options(self, wanted: Options, person: Person) -> dict[str, Any]:
        """What the row says to the worker: numbers instead of preferences."""
        preferred = preferences_of(person)
        beams = self.policy.beams if preferred.quality == "careful" else 1
        return {"beams": wanted.beams or beams, "length": wanted.length or preferred.length}

    def _known(self, session: Session, photo: Photo, options: dict[str, Any], who: str) -> Caption | None:
        """What the model that serves this chat or person said of the photo already."""
        said = [] if photo.is_new else requests.first_sentences(session, photo.id, options)
        if not said:  # nearly always: the registry need not be asked
            return None
        serving = model_registry.serving(session)
        served = serving.stable
        if serving.canary and model_registry.uses_canary(who, serving.percent):
            served = serving.canary
        version = served.version if served else backlog.bundled_version(session)
        same = [id for id, model_version in said if model_version == version]
        return session.get(Caption, same[0]) if same else None

    def _send_on(self, caption: Caption) -> Submitted:
        """After the commit: to the workers, or what is done already to its front-end."""
        if caption.state is State.QUEUED:
            self._enqueue(caption.id)
        elif self.wakes is not None:
            self.wakes.notify({caption.front_end: [caption.id]})
        return _submitted(caption)


def _submitted(caption: Caption) -> Submitted:
    return Submitted(caption.public_id, caption.id, caption.state, known=caption.state is State.DONE)
