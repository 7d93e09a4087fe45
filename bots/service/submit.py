"""Accepts photos: each is checked, stored and queued for a worker, or answered at once from an earlier caption.

It is answered at once with a correction that applies to this person or chat, or else with the caption that the same
model made of the same photo with the same options.
"""

import logging
from dataclasses import replace

from sqlalchemy.orm import Session

from bots.errors import (
    Busy,
    NoneLeft,
    NotReady,
    PhotoGone,
    StorageFull,
    StorageUnavailable,
    TooManyWaiting,
    one_line,
)
from bots.service.base import STORE_AWAY, UNFINISHED, Backend, find_caption
from bots.service.photo_check import check_photo
from bots.service.views import Submitted
from db import caption_requests, chats, correction_memory, model_registry, people, photos, queue_depth
from db.caption_options import CaptionOptions
from db.caption_requests import CaptionRequest
from db.captions import MOST_SENTENCES, NONE_LEFT
from db.store_state import StoreFull, StoreUnavailable
from db.tables import Caption, Person, Photo, ReplyTo, State

log = logging.getLogger(__name__)

FULL_STORE = 600.0  # seconds to wait if the photo store is full


class Submissions:
    """`service.submissions`."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def submit(self, data: bytes, request: CaptionRequest) -> Submitted:
        """Accept a photo file. If the same source is submitted again, its caption is returned.

        Raises:
            UnreadablePhoto
            PhotoTooLarge
            TooManyRequests
            TooManyWaiting
            Busy
            StorageFull
            StorageUnavailable
        """
        if existing := self._find_or_admit(request.source, request.sender, request.chat):
            return existing
        policy, store = self._backend.policy, self._backend.store
        photo = check_photo(data, max_bytes=policy.max_bytes, max_pixels=policy.max_pixels)
        try:
            store.save(photo.jpeg, photo.sha256)  # may be slow, so it is done before the transaction
            with self._backend.sessions.begin() as session:
                person = people.find_or_create(session, request.sender)
                kept = photos.save(
                    session, store, photo.jpeg, photo.sha256, photo.width, photo.height, photo.perceptual_hash
                )
                chat = request.chat and chats.current(session, request.chat)
                request = replace(request, chat=chat, options=self._resolved(request.options, person))
                known = self._find_known(session, request, kept, photo.perceptual_hash, person)
                caption, new = caption_requests.create(session, request, kept, person, known=known)
        except StoreUnavailable as error:
            log.warning("a photo could not be stored, the store is %s: %s", error.state, one_line(error))
            if isinstance(error, StoreFull):
                raise StorageFull(retry_after=FULL_STORE) from None
            raise StorageUnavailable(retry_after=STORE_AWAY) from error
        return self._dispatch(caption) if new else _submitted(caption)

    def another(
        self,
        id: str,
        *,
        person: str,
        source: str | None = None,
        reply_to: ReplyTo | None = None,
        chat: str | None = None,
    ) -> Submitted:
        """Request another caption of the same photo. It belongs to the sender of the photo.

        If one is being made already, that one is returned.

        Raises:
            NotFound
            NotReady
            NoneLeft
            PhotoGone
            TooManyRequests
            TooManyWaiting
            Busy
        """
        if existing := self._find_or_admit(source, person, chat):
            return existing
        with self._backend.sessions.begin() as session:
            parent = find_caption(session, id, person, chat)
            if parent.state in UNFINISHED:
                raise NotReady
            if parent.photo.dropped_at is not None:
                raise PhotoGone
            chain = caption_requests.chain(session, parent)
            if chain[-1].state in UNFINISHED:
                return _submitted(chain[-1])
            if chain[-1].error == NONE_LEFT or len(chain) >= MOST_SENTENCES:
                raise NoneLeft
            request = CaptionRequest(
                sender=parent.person.key,
                front_end=parent.front_end,
                source=source,
                reply_to=reply_to or {},
                chat=parent.chat,
                options=parent.options,
                file_name=parent.file_name,
            )
            caption, new = caption_requests.create_another(session, request, parent, parent.person, chain[-1].rank + 1)
        return self._dispatch(caption) if new else _submitted(caption)

    def _find_or_admit(self, source: str | None, person: str, chat: str | None) -> Submitted | None:
        """Return the caption that this source has already; otherwise check the limits.

        Raises Busy, TooManyRequests, TooManyWaiting.
        """
        with self._backend.reading() as session:
            if source is not None:
                for caption in caption_requests.by_source(session, source):
                    if caption.source == source:
                        return _submitted(caption)
            self._check_queue(session, person, chat and chats.current(session, chat))
        self._backend.limits.hit(person)
        return None

    def _check_queue(self, session: Session, person: str, chat: str | None) -> None:
        """Raises TooManyWaiting, Busy."""
        policy, waiting = self._backend.policy, queue_depth.waiting(session, person, chat)
        if waiting.of_person >= policy.person_queue_limit:
            theirs = min(waiting.of_person * waiting.people, waiting.total)  # people take turns
            raise TooManyWaiting(retry_after=queue_depth.estimated_wait(session, theirs))
        if waiting.of_chat >= policy.chat_queue_limit or waiting.total >= policy.queue_limit:
            raise Busy(retry_after=queue_depth.estimated_wait(session, waiting.total))

    def _resolved(self, options: CaptionOptions, person: Person) -> CaptionOptions:
        """The options of a request, completed from the person's preferences."""
        preferred = person.preferences
        beams = self._backend.policy.beams if preferred.quality == "careful" else 1
        return CaptionOptions(beams=options.beams or beams, length=options.length or preferred.length)

    def _find_known(
        self, session: Session, request: CaptionRequest, photo: Photo, perceptual_hash: str, person: Person
    ) -> Caption | None:
        """A finished caption that answers the request: a correction, or a caption by the model that serves now."""
        if remembered := correction_memory.recall(session, perceptual_hash, person.id, request.chat):
            return correction_memory.as_caption(remembered)
        earlier = [] if photo.is_new else caption_requests.first_sentences(session, photo.id, request.options)
        if not earlier:  # the usual case, which saves a query of the registry
            return None
        serving = model_registry.serving(session)
        served = serving.stable
        if serving.canary and model_registry.uses_canary(request.chat or request.sender, serving.percent):
            served = serving.canary
        version = served.version if served else queue_depth.bundled_version(session)
        same = [id for id, model_version in earlier if model_version == version]
        return session.get(Caption, same[0]) if same else None

    def _dispatch(self, caption: Caption) -> Submitted:
        """After the commit: send the caption to the workers or, if it is finished already, notify its front-end."""
        if caption.state is State.QUEUED:
            self._backend.enqueue(caption.id)
        elif self._backend.notifier is not None:
            self._backend.notifier.notify({caption.front_end: [caption.id]})
        return _submitted(caption)


def _submitted(caption: Caption) -> Submitted:
    return Submitted(caption.public_id, caption.id, caption.state, known=caption.state is State.DONE)
