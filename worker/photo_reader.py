"""Reads photos from the store for the engine, and decides what becomes of those that cannot be read now or at all."""

import logging
from collections.abc import Callable

from db.photo_store import PhotoStore
from db.store_state import StoreState, StoreUnavailable
from model.errors import UnreadablePhoto, one_line
from model.preprocessing import read_photo
from worker.heartbeat import Heartbeat
from worker.job_types import EngineInput, Job
from worker.model_loader import CurrentModel
from worker.stages import Failed, NotYet, Outcome, Ready

log = logging.getLogger(__name__)

MISSING = "I no longer have that photo, so I could not describe it. Please send it again."
UNREADABLE = "I could not read that photo. Please send it again, or another one."
READ_DELAYS = (0.2, 0.8, 2.0)  # seconds before each retry to read a photo: a store on a network may show a file late
STORE_DELAY = 1.0  # seconds between tries while the photo store is away, however long that is
FILE_TRIES = 300  # of a photo that cannot be read although its store works; a disk may recover
MAX_BEAMS = 20


class PhotoReader:
    """Its method may be called from any thread."""

    def __init__(
        self,
        store: PhotoStore,
        model: CurrentModel,
        heartbeat: Heartbeat,
        beams: int,
        earlier_captions: Callable[[int], frozenset[tuple[str, ...]]],
    ):
        """
        Args:
            beams: of photos for which nobody asked for another number.
            earlier_captions: gives the sentences that the caption with this id must not repeat, in words.
        """
        self._store, self._model, self._heartbeat = store, model, heartbeat
        self._beams, self._earlier_captions = beams, earlier_captions
        self._store_away = False

    def read(self, jobs: list[Job[None]]) -> list[Outcome[Job[EngineInput]]]:
        """The work of a stage of the pipeline: what becomes of each job."""
        self._heartbeat.hold([job.caption_id for job in jobs], limited=False)
        photos = self._store.read_many([job.caption.sha256 for job in jobs])
        errors = [data for data in photos.values() if isinstance(data, StoreUnavailable)]
        works = not errors or self._store.state() is not StoreState.AWAY
        self._note_store(None if works else errors[0])
        return [self._decode(job, photos.get(job.caption.sha256), works) for job in jobs]

    def _note_store(self, error: StoreUnavailable | None) -> None:
        """Log once when the photo store goes away, and when it is back."""
        if error and not self._store_away:
            log.warning("the photo store is away, photos wait for it: %s", one_line(error))
        elif self._store_away and not error:
            log.info("the photo store is back")
        self._store_away = error is not None

    def _decode(self, job: Job[None], data: bytes | StoreUnavailable | None, works: bool) -> Outcome[Job[EngineInput]]:
        """The engine's input from the bytes of a photo file; None is a photo that the store does not have.

        works: whether the store does. If not, no photo is to blame, and each waits for as long as it takes.
        """
        caption, about = job.caption, {"caption": job.caption_id}
        if isinstance(data, StoreUnavailable):
            if not works or job.retries < FILE_TRIES:
                return NotYet(STORE_DELAY, counts=works)
            log.warning(
                "caption %d: photo %s cannot be read: %s", caption.id, caption.sha256, one_line(data), extra=about
            )
            return Failed(UNREADABLE)
        self._heartbeat.hold([job.caption_id])  # from here on it may be the photo that keeps the worker busy
        if data is None:
            if job.retries < len(READ_DELAYS):
                return NotYet(READ_DELAYS[job.retries])
            log.warning("caption %d: photo %s is not in the store", caption.id, caption.sha256, extra=about)
            return Failed(MISSING)
        model = self._model.choose(caption.chat or caption.person)
        try:
            photo = read_photo(data, size=model.captioner.config.photo_size)
        except UnreadablePhoto as error:
            log.warning("caption %d: photo %s: %s", caption.id, caption.sha256, error, extra=about)
            return Failed(UNREADABLE)
        exclude = self._earlier_captions(caption.id) if caption.rank else frozenset()
        beams = caption.options.beams or self._beams
        if exclude:
            beams = min(MAX_BEAMS, max(beams, len(exclude) + 2))
        input = EngineInput(photo, model, beams, caption.options.length or "normal", exclude)
        return Ready(job.with_value(input))
