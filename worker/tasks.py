"""What a worker does with a message: claim the row, read its photo, have it captioned, write the sentence.

Claims and sentences go to the database in groups, as photos go to the engine: what waits while it is busy shares its
next transaction. With a batch to spare beside those in the engine there is no hurry to claim more: it gathers.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from db import captions, requests
from db.captions import Result
from db.photo_store import MissingPhoto, PhotoStore
from db.tables import Caption
from model.captioner import Caption as Said
from model.errors import UnreadablePhoto
from model.photos import read_photo
from model.sentences import Length
from worker.batcher import Batcher
from worker.current_model import CurrentModel, LoadedModel
from worker.heartbeat import Heartbeat
from worker.wake import Wakes

log = logging.getLogger(__name__)

MISSING = "I no longer have that photo, so I could not describe it. Please send it again."
UNREADABLE = "I could not read that photo. Please send it again, or another one."
LOOK_AGAIN = (0.2, 0.8, 2.0)  # seconds between looks for a photo that the store does not show yet
ASK_AGAIN = 0.5  # seconds between tries while the database is away
ALTERNATIVES = 2  # sentences kept beside the best one
MOST_BEAMS = 20
TIME_LIMIT = 300.0  # seconds in the engine and waiting for it; Celery's own limits do not work in threads

Value = TypeVar("Value")


@dataclass(frozen=True)
class Job:
    """A photo for the engine. Jobs that differ in nothing but photo and what was said run together."""

    photo: np.ndarray
    model: LoadedModel
    beams: int
    length: Length
    said: frozenset[tuple[str, ...]]  # words of the sentences that "another one" must not repeat

    @property
    def kind(self) -> tuple[str, int, Length]:
        return self.model.version, self.beams, self.length


class Captioning:
    """Handles messages, from many threads at once."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        model: CurrentModel,
        heartbeat: Heartbeat,
        wakes: Wakes,
        *,
        max_batch: int,
        beams: int,
        lanes: int = 1,
        time_limit: float = TIME_LIMIT,
    ):
        """lanes: batches that the engine has in work at the same time."""
        self._sessions, self._store, self._model = sessions, store, model
        self._heartbeat, self._wakes = heartbeat, wakes
        self._room, self._beams, self._time_limit = (lanes + 1) * max_batch, beams, time_limit
        self._stopping = threading.Event()
        self._claims: Batcher[int, Caption | None] = Batcher(self._claim, 2 * max_batch, name="claims")
        self._engine: Batcher[Job, Result] = Batcher(
            run_engine, max_batch, lanes=lanes, key=lambda job: job.kind, name="engine"
        )
        self._writer: Batcher[tuple[Caption, Result | str], bool] = Batcher(self._write, 2 * max_batch, name="writer")

    def handle(self, caption_id: int) -> None:
        """Returns when the row needs nothing more of this worker."""
        row = self._claims.submit(caption_id).result()
        if row is None:  # done, another worker's, or removed: a message may come twice
            return
        try:
            self._writer.submit((row, self._caption(row))).result()
        except Exception:  # the lease expires, which counts one attempt, and the row goes out again
            log.exception("caption %d failed", row.id)
        finally:
            self._heartbeat.drop(row.id)

    def is_stuck(self) -> bool:
        """Whether the engine has been at one batch for longer than any may take."""
        return self._engine.busy_seconds() > self._time_limit

    def close(self, timeout: float) -> None:
        """Wait for the database no longer. Finishes what can be finished within so many seconds."""
        self._stopping.set()
        end = time.monotonic() + timeout
        for batcher in (self._claims, self._engine, self._writer):
            batcher.close(max(0.0, end - time.monotonic()))

    def _caption(self, row: Caption) -> Result | str:
        """What the model says, or why it cannot say anything."""
        model = self._model.choose(row.chat or row.person.key)
        try:
            photo = read_photo(self._read(row.photo.sha256), size=model.captioner.config.photo_size)
        except MissingPhoto:
            log.warning("caption %d: photo %s is not in the store", row.id, row.photo.sha256)
            return MISSING
        except UnreadablePhoto as error:
            log.warning("caption %d: photo %s: %s", row.id, row.photo.sha256, error)
            return UNREADABLE
        said = self._said(row) if row.rank else frozenset()
        beams = row.options.get("beams") or self._beams
        if said:
            beams = min(MOST_BEAMS, max(beams, len(said) + 2))
        job = Job(photo, model, beams, row.options.get("length") or "normal", said)
        return self._engine.submit(job).result(self._time_limit)

    def _read(self, sha256: str) -> bytes:
        """A store on a network may show a file late. Raises MissingPhoto."""
        for pause in LOOK_AGAIN:
            try:
                return self._store.read(sha256)
            except MissingPhoto:
                time.sleep(pause)
        return self._store.read(sha256)

    def _said(self, row: Caption) -> frozenset[tuple[str, ...]]:
        """The words of all sentences of the same chain: the first one and its other "another ones"."""
        with self._sessions.begin() as session:
            rows = requests.chain(session, session.get_one(Caption, row.id))
            return frozenset(tuple(other.words) for other in rows if other.words)

    def _claim(self, ids: list[int]) -> list[Caption | None]:
        def claim() -> Sequence[Caption]:
            with self._sessions.begin() as session:
                return captions.claim_many(session, ids, self._heartbeat.name, self._heartbeat.lease)

        self._heartbeat.wait_for_room(self._room)
        mine = {row.id: row for row in self._patiently(claim)}
        for row in mine:
            self._heartbeat.hold(row)
        return [mine.pop(id, None) for id in ids]  # an id that comes twice is worked on once

    def _write(self, finished: list[tuple[Caption, Result | str]]) -> list[bool]:
        """Sentences and failures, and wake who waits for them. True for rows that were still this worker's."""

        def write() -> set[int]:
            results = {row.id: result for row, result in finished if isinstance(result, Result)}
            with self._sessions.begin() as session:
                written = set(captions.finish_many(session, self._heartbeat.name, results)) if results else set()
                for row, result in finished:
                    if isinstance(result, str) and captions.fail(session, row.id, self._heartbeat.name, result):
                        written.add(row.id)
            return written

        written = self._patiently(write)
        self._wakes.notify(_by_front_end([row for row, _ in finished if row.id in written]))
        for row, result in finished:
            if row.id not in written:
                log.warning("caption %d took too long, another worker has it", row.id)
            elif isinstance(result, Result):
                log.info("caption %d: model %s, batch of %d", row.id, result.model_version, result.batch_size)
        return [row.id in written for row, _ in finished]

    def _patiently(self, work: Callable[[], Value]) -> Value:
        """A database that restarts is waited for, so that the queue is not emptied in vain meanwhile."""
        while True:
            try:
                return work()
            except (OperationalError, InterfaceError) as error:
                if self._stopping.is_set():
                    raise
                log.warning("the database does not answer, trying again: %s", error.orig)
                self._stopping.wait(ASK_AGAIN)


def run_engine(jobs: list[Job]) -> list[Result]:
    """One batch, whose jobs are of one kind."""
    first = jobs[0]
    nbest = min(first.beams, 1 + ALTERNATIVES)
    start = time.perf_counter()
    found = first.model.captioner.caption(
        [job.photo for job in jobs],
        beams=first.beams,
        nbest=nbest,
        length=first.length,
        said=[job.said for job in jobs],
    )
    milliseconds = 1000 * (time.perf_counter() - start)
    return [_result(said, first.model.version, milliseconds, len(jobs)) for said in found]


def _result(said: Said, version: str, milliseconds: float, batch_size: int) -> Result:
    return Result(
        text=said.text,
        confidence=said.confidence,
        hedged=said.hedged,
        is_photo=said.photo,
        words=list(said.words),
        alternatives=list(said.alternatives),
        attention=None if said.attention is None else attention_maps(said.attention),
        model_version=version,
        milliseconds=milliseconds,
        encode_milliseconds=1000 * said.encode_seconds,
        batch_size=batch_size,
    )


def attention_maps(attention: np.ndarray) -> dict[str, Any]:
    """(words, rows, columns) as the database keeps it: whole numbers, 255 where the network looked most for a word."""
    words, rows, columns = attention.shape
    most = np.maximum(attention.max(axis=(1, 2), keepdims=True, initial=0), 1e-9)
    maps = np.rint(attention / most * 255).astype(int).reshape(words, rows * columns)
    return {"rows": rows, "columns": columns, "maps": maps.tolist()}


def _by_front_end(rows: list[Caption]) -> Mapping[str, list[int]]:
    ordered = sorted(rows, key=lambda row: row.front_end)
    return {front_end: [row.id for row in own] for front_end, own in groupby(ordered, key=lambda row: row.front_end)}
