"""What a worker does with a message: claim the caption, read its photo, run the model, write the result.

A message says that a photo waits, and the database says whose turn it is: see db/turns.py. So somebody who sends many
photos does not make others wait, and photos whose messages were lost are found by the next message of any.

Each step is a stage with threads of its own, which takes all that waits for it as one batch: one transaction claims or
writes many captions, one call of the photo store reads many photos, one batch of the engine captions them. A worker
that already holds one batch more than its engine runs claims nothing more until one of them is finished, except for
people who have nothing in work: their photos join the next batch of the engine. A photo with which a worker died is
tried while the worker holds nothing else: see db/suspects.py.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.orm import Session, sessionmaker

from db import caption_requests, captions, suspects
from db.captions import Claimed, Result
from db.outages import noted
from db.photo_store import PhotoStore
from db.tables import Caption
from model.engine import cores
from worker.heartbeat import MAX_SECONDS_HELD, Heartbeat
from worker.inference import run_engine
from worker.job_types import Job, Message
from worker.model_loader import CurrentModel
from worker.notifications import Notifier
from worker.photo_reader import PhotoReader
from worker.stages import Ended, Failed, NotOurs, NotYet, Outcome, Pipeline, Ready, Stage

log = logging.getLogger(__name__)

DATABASE_DELAY = 0.5  # seconds between tries while the database does not answer
ALONE_DELAY = 10.0  # seconds that a worker waits at most until it holds nothing, or until the suspect is done with
SUSPECTS_DELAY = 1.0  # seconds between searches for suspects while others wait too
LOOK_DELAY = 0.25  # seconds between looks for people who have nothing in work, while this worker claims nothing else
MAX_READERS = 8  # threads that read photos

Value = TypeVar("Value")
Claim = Callable[[Session, int, str, timedelta], Sequence[Claimed]]


class CaptionPipeline:
    """Handles messages. Its methods may be called from any thread."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        model: CurrentModel,
        heartbeat: Heartbeat,
        notifier: Notifier,
        *,
        max_batch: int,
        beams: int,
        lanes: int = 1,
        time_limit: float = MAX_SECONDS_HELD,
    ):
        """
        Args:
            lanes: batches that the engine runs at the same time.
            time_limit: seconds that one batch of photos may take to be read or captioned.
        """
        self._sessions, self._heartbeat, self._notifier = sessions, heartbeat, notifier
        self._max_held, self._time_limit = (lanes + 1) * max_batch, time_limit
        self._stopping = threading.Event()
        self._reader = PhotoReader(store, model, heartbeat, beams, self._earlier_captions)
        self._suspects = self._is_alone = False  # whether suspects wait; whether one is in work
        self._next_search = 0.0  # for suspects while others wait too, as time.monotonic()
        self._look_size, self._looks = max_batch, 0  # messages of this worker's own to itself: at a time, and waiting
        person = attrgetter("person")
        self._pipeline = Pipeline(
            Stage("claim", self._claim, 2 * max_batch),  # a search for whose turn it is costs the same for many
            Stage("read", self._reader.read, max_batch, lanes=min(MAX_READERS, cores()), owner=person),
            Stage("engine", run_engine, max_batch, lanes=lanes, key=lambda job: job.value.kind, owner=person),
            Stage("write", self._write, 2 * max_batch),
            ended=self._ended,
        )

    def handle(self, caption_id: int, acknowledge: Callable[[], None] = lambda: None) -> None:
        """Caption this photo, or one whose turn it is. Returns at once; calls `acknowledge` when that is finished."""
        self._pipeline.submit([Message(caption_id, acknowledge)])

    def is_stuck(self) -> bool:
        """Whether the engine or the photo store has been busy with one batch for longer than the time limit."""
        return self._pipeline.busy_seconds("read", "engine") > self._time_limit

    def close(self, timeout: float) -> bool:
        """Finish what is in work, without waiting for a database that does not answer.

        Returns whether all was finished within `timeout` seconds.
        """
        self._stopping.set()
        return self._pipeline.close(timeout)

    def _claim(self, messages: list[Message]) -> list[Outcome[Job[None]]]:
        """Claim a caption for each message. A message may come twice: then there may be fewer captions."""

        claimed = self._claim_suspect() or self._claim_newcomers(len(messages))
        rest: Outcome[Job[None]] = NotYet(0, counts=False)  # of messages that get no caption
        if not claimed:
            claimed = self._claim_by(self._claim_next, len(messages))
            rest = rest if self._suspects else NotOurs()
        self._heartbeat.hold([caption.id for caption in claimed])
        ended = messages if isinstance(rest, NotOurs) else messages[: len(claimed)]
        self._looks = max(0, self._looks - sum(message.caption_id is None for message in ended))
        if len(claimed) == len(messages):
            self._look()
        jobs = [
            Ready(Job(caption, message.acknowledge, None)) for message, caption in zip(messages, claimed, strict=False)
        ]
        return [*jobs, *[rest] * (len(messages) - len(jobs))]

    def _claim_suspect(self) -> Sequence[Claimed]:
        """Wait until the suspect that is in work is done with. Then claim the next one, if one waits, alone."""
        if self._is_alone:
            self._heartbeat.wait_for_room(0, ALONE_DELAY)
            self._is_alone = False
        if not self._suspects or not self._heartbeat.wait_for_room(0, ALONE_DELAY):
            return []
        claimed = self._claim_by(suspects.claim_one, 1)
        self._suspects = self._is_alone = bool(claimed)
        return claimed

    def _claim_next(self, session: Session, count: int, worker: str, lease: timedelta) -> Sequence[Claimed]:
        claimed = captions.claim_next(session, count, worker, lease)
        if len(claimed) < count or time.monotonic() >= self._next_search:  # it goes through the whole queue
            self._suspects = suspects.wait(session)
            self._next_search = time.monotonic() + SUSPECTS_DELAY
        return claimed

    def _claim_newcomers(self, count: int) -> Sequence[Claimed]:
        """Wait until there is room for what comes next, or for a photo of somebody who has nothing in work.

        Returns at most so many photos of such people, one of each; none if there is room. One batch of them may be
        held beside what a worker holds otherwise.
        """
        most = self._max_held + 3 * self._look_size  # a claim may take two batches
        while not self._heartbeat.wait_for_room(self._max_held, LOOK_DELAY):
            room = min(count, most - len(self._heartbeat.held()))
            if room <= 0 or self._stopping.is_set():
                continue
            if claimed := self._claim_by(captions.claim_newcomers, room):
                return claimed
        return []

    def _claim_by(self, choose: Claim, count: int) -> Sequence[Claimed]:
        def claim() -> Sequence[Claimed]:
            with self._sessions.begin() as session:
                return choose(session, count, self._heartbeat.name, self._heartbeat.lease)

        return self._until_database_answers(claim)

    def _look(self) -> None:
        """Claim what else waits: the messages of some photos may be lost."""
        if self._looks == 0 and not self._stopping.is_set():
            self._looks = self._look_size
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                self._pipeline.submit([Message(None, lambda: None)] * self._look_size)

    def _earlier_captions(self, caption_id: int) -> frozenset[tuple[str, ...]]:
        """The words of the photo's first caption and of all that followed on request for another one."""

        def look_up() -> frozenset[tuple[str, ...]]:
            with self._sessions.begin() as session:
                chain = caption_requests.chain(session, session.get_one(Caption, caption_id))
                return frozenset(tuple(caption.words) for caption in chain if caption.words)

        return self._until_database_answers(look_up)

    def _write(self, jobs: list[Job[Result | Failed]]) -> list[Outcome[Job[Result | Failed]]]:
        """Write results and failures in one transaction, then notify the front-ends that wait for them."""
        results = {job.caption_id: job.value for job in jobs if isinstance(job.value, Result)}
        failures = {job.caption_id: job.value.reason for job in jobs if isinstance(job.value, Failed)}
        worker = self._heartbeat.name

        def write() -> set[int]:
            with self._sessions.begin() as session:
                written = set(captions.finish_many(session, worker, results)) if results else set()
                return written | {id for id, reason in failures.items() if captions.fail(session, id, worker, reason)}

        self._heartbeat.hold(results | failures, limited=False)
        written = self._until_database_answers(write)
        self._notifier.notify(_by_front_end([job.caption for job in jobs if job.caption_id in written]))
        return [Ready(job) if job.caption_id in written else NotOurs() for job in jobs]

    def _ended(self, ended: list[tuple[Message | Job[Any], Ended]]) -> None:
        """Let go of captions. One that raised stays claimed until its lease expires, which counts one attempt."""
        self._heartbeat.drop([item.caption_id for item, _ in ended if isinstance(item, Job)])
        for item, outcome in ended:
            _log(item, outcome)
            item.acknowledge()

    def _until_database_answers(self, work: Callable[[], Value]) -> Value:
        """Try again while the database restarts: otherwise the worker would empty the queue without a caption."""
        while True:
            try:
                return work()
            except (DBAPIError, TimeoutError) as error:
                if self._stopping.is_set() or not noted(error):
                    raise
                self._stopping.wait(DATABASE_DELAY)


def _log(item: Message | Job[Any], outcome: Ended) -> None:
    id, about = item.caption_id, {"caption": item.caption_id}
    match item, outcome:
        case Message(), Exception():
            log.error("no caption could be claimed", exc_info=outcome)
        case Job(), Exception():
            log.error("caption %d failed", id, exc_info=outcome, extra=about)
        case Job(), NotOurs():
            log.warning("caption %d took too long, another worker has it", id, extra=about)
        case Job(value=Result() as result), Ready():
            log.info("caption %d: model %s, batch of %d", id, result.model_version, result.batch_size, extra=about)


def _by_front_end(captions: list[Claimed]) -> Mapping[str, list[int]]:
    """The ids of captions by front-end."""
    ordered = sorted(captions, key=lambda caption: caption.front_end)
    return {name: [caption.id for caption in own] for name, own in groupby(ordered, lambda caption: caption.front_end)}
