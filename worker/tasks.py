"""What a worker does with a message: claim the row, read its photo, have it captioned, write the sentence.

Four batchers in a row, each of which hands on what it has done: what waits while one is busy shares its next
transaction, its next look into the store, its next batch. With a batch to spare beside those in the engine there is no
hurry to claim more: it gathers. No photo has a thread of its own: on two cores, waking them cost as much as the search.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from db import captions, requests
from db.captions import Claimed, Result
from db.photo_store import PhotoStore
from db.tables import Caption
from model.engine import cores
from model.errors import UnreadablePhoto
from model.photos import read_photo
from worker.batcher import Batcher
from worker.current_model import CurrentModel
from worker.heartbeat import LONGEST, Heartbeat
from worker.jobs import Job, Message, Work, run_engine
from worker.wake import Wakes

log = logging.getLogger(__name__)

MISSING = "I no longer have that photo, so I could not describe it. Please send it again."
UNREADABLE = "I could not read that photo. Please send it again, or another one."
LOOK_AGAIN = (0.2, 0.8, 2.0)  # seconds between looks for a photo that the store does not show yet
ASK_AGAIN = 0.5  # seconds between tries while the database is away
MOST_BEAMS = 20
MOST_READERS = 8  # threads that read photos

Value = TypeVar("Value")
Finished = tuple[Work, Result | str]  # or why there is no caption, to people


class Captioning:
    """Handles messages. Calls come from any thread and return at once."""

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
        time_limit: float = LONGEST,
    ):
        """lanes: batches that the engine has in work at the same time. time_limit: seconds that one may take."""
        self._sessions, self._store, self._model = sessions, store, model
        self._heartbeat, self._wakes = heartbeat, wakes
        self._room, self._beams, self._time_limit = (lanes + 1) * max_batch, beams, time_limit
        self._stopping = threading.Event()
        self._claims = Batcher(self._claim, self._claimed, 2 * max_batch, name="claims")
        readers = min(MOST_READERS, cores())
        self._reader = Batcher(self._read, self._seen, max_batch, lanes=readers, name="reader")
        self._engine = Batcher(
            run_engine, self._captioned, max_batch, lanes=lanes, key=lambda job: job.kind, name="engine"
        )
        self._writer = Batcher(self._write, self._written, 2 * max_batch, name="writer")

    def handle(self, row: int, done: Callable[[], None] = lambda: None) -> None:
        """done: see Message."""
        self._claims.submit([Message(row, done)])

    def is_stuck(self) -> bool:
        """Whether the engine, or the photo store, has been at one batch for longer than any may take."""
        return max(self._engine.busy_seconds(), self._reader.busy_seconds()) > self._time_limit

    def close(self, timeout: float) -> bool:
        """Wait for the database no longer. Returns whether all was finished within so many seconds."""
        self._stopping.set()
        end = time.monotonic() + timeout
        finished = True
        for stage in (self._claims, self._reader, self._engine, self._writer):
            finished &= stage.close(max(0.0, end - time.monotonic()))
        return finished

    def _claim(self, messages: list[Message]) -> list[Claimed | None]:
        """None for what is done, another worker's, or removed: a message may come twice."""
        ids = [message.row for message in messages]

        def claim() -> Sequence[Claimed]:
            with self._sessions.begin() as session:
                return captions.claim_many(session, ids, self._heartbeat.name, self._heartbeat.lease)

        self._heartbeat.wait_for_room(self._room)
        mine = {row.id: row for row in self._patiently(claim)}
        self._heartbeat.hold(mine)
        return [mine.pop(id, None) for id in ids]  # an id that comes twice is worked on once

    def _claimed(self, outcomes: Iterable[tuple[Message, Claimed | Exception | None]]) -> None:
        works = []
        for message, row in outcomes:
            if isinstance(row, Claimed):
                works.append(Work(row, message.done))
                continue
            if row is not None:
                log.error("caption %d could not be claimed", message.row, exc_info=row)
            message.done()
        self._reader.submit(works)

    def _read(self, works: list[Work]) -> list[Job | str | None]:
        """For the engine, or why there will be no caption. None: the photo is not there yet."""
        photos = self._store.read_many([work.row.sha256 for work in works])
        return [self._job(work, photos.get(work.row.sha256)) for work in works]

    def _job(self, work: Work, data: bytes | None) -> Job | str | None:
        row = work.row
        if data is None:
            if work.looks < len(LOOK_AGAIN):
                return None
            log.warning("caption %d: photo %s is not in the store", row.id, row.sha256)
            return MISSING
        model = self._model.choose(row.chat or row.person)
        try:
            photo = read_photo(data, size=model.captioner.config.photo_size)
        except UnreadablePhoto as error:
            log.warning("caption %d: photo %s: %s", row.id, row.sha256, error)
            return UNREADABLE
        said = self._said(row.id) if row.rank else frozenset()
        beams = row.options.get("beams") or self._beams
        if said:
            beams = min(MOST_BEAMS, max(beams, len(said) + 2))
        return Job(work, photo, model, beams, row.options.get("length") or "normal", said)

    def _said(self, row: int) -> frozenset[tuple[str, ...]]:
        """The words of all sentences of the same chain: the first one and its other "another ones"."""
        with self._sessions.begin() as session:
            rows = requests.chain(session, session.get_one(Caption, row))
            return frozenset(tuple(other.words) for other in rows if other.words)

    def _seen(self, outcomes: Iterable[tuple[Work, Job | str | Exception | None]]) -> None:
        jobs = []
        for work, outcome in outcomes:
            if isinstance(outcome, Job):
                jobs.append(outcome)
            elif isinstance(outcome, str):
                self._writer.submit([(work, outcome)])
            elif outcome is None:  # a store on a network may show a file late
                again = replace(work, looks=work.looks + 1)
                later = threading.Timer(LOOK_AGAIN[work.looks], self._look_again, ([again],))
                later.daemon = True
                later.start()
            else:
                self._let_go(work, outcome)
        self._engine.submit(jobs)

    def _look_again(self, works: list[Work]) -> None:
        with contextlib.suppress(RuntimeError):  # the worker stops, and gives the row back
            self._reader.submit(works)

    def _captioned(self, outcomes: Iterable[tuple[Job, Result | Exception]]) -> None:
        finished: list[Finished] = []
        for job, outcome in outcomes:
            if isinstance(outcome, Exception):
                self._let_go(job.work, outcome)
            else:
                finished.append((job.work, outcome))
        self._writer.submit(finished)

    def _write(self, finished: list[Finished]) -> list[bool]:
        """Sentences and failures, and wake who waits for them. True for rows that were still this worker's."""

        def write() -> set[int]:
            results = {work.row.id: result for work, result in finished if isinstance(result, Result)}
            with self._sessions.begin() as session:
                written = set(captions.finish_many(session, self._heartbeat.name, results)) if results else set()
                for work, result in finished:
                    if isinstance(result, str) and captions.fail(session, work.row.id, self._heartbeat.name, result):
                        written.add(work.row.id)
            return written

        written = self._patiently(write)
        self._wakes.notify(_by_front_end([work.row for work, _ in finished if work.row.id in written]))
        return [work.row.id in written for work, _ in finished]

    def _written(self, outcomes: Iterable[tuple[Finished, bool | Exception]]) -> None:
        outcomes = list(outcomes)
        self._heartbeat.drop([work.row.id for (work, _), _ in outcomes])
        for (work, result), written in outcomes:
            if isinstance(written, Exception):
                self._let_go(work, written)
                continue
            if not written:
                log.warning("caption %d took too long, another worker has it", work.row.id)
            elif isinstance(result, Result):
                log.info("caption %d: model %s, batch of %d", work.row.id, result.model_version, result.batch_size)
            work.done()

    def _let_go(self, work: Work, error: Exception) -> None:
        """The lease expires, which counts one attempt, and the row goes out again."""
        log.error("caption %d failed", work.row.id, exc_info=error)
        self._heartbeat.drop([work.row.id])
        work.done()

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


def _by_front_end(rows: list[Claimed]) -> Mapping[str, list[int]]:
    ordered = sorted(rows, key=lambda row: row.front_end)
    return {front_end: [row.id for row in own] for front_end, own in groupby(ordered, key=lambda row: row.front_end)}
