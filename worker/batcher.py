"""Gathers jobs into batches without a timer: while the engine is busy they gather, when it is free it takes what waits.

An idle worker answers a lone job at once, a busy one runs full batches. An engine with several lanes runs as many
batches side by side. The more of them run, the fuller must one be that joins them: small ones cost nearly as much.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Batcher(Generic[Job, Outcome]):
    """Threads, one a lane, each of which runs batches one after the other."""

    def __init__(
        self,
        run: Callable[[list[Job]], Sequence[Outcome]],
        then: Callable[[list[tuple[Job, Outcome | Exception]]], None],
        max_batch: int,
        *,
        lanes: int = 1,
        key: Callable[[Job], Hashable] = lambda job: None,
        name: str = "batcher",
    ):
        """run: jobs to as many outcomes, in the same order; lanes: calls of it at the same time.

        then: gets the jobs of each batch with their outcomes, or with what `run` raised for them, in the same thread.
        key: only jobs whose keys are equal share a batch.
        """
        self._run_batch, self._then, self._max_batch, self._key = run, then, max_batch, key
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._running: dict[int, float] = {}  # lane -> when the batch that runs in it began, as time.monotonic()
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), name=f"{name}-{lane}", daemon=True)
            for lane in range(lanes)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, jobs: Iterable[Job]) -> None:
        """All at once, so that they may share a batch. Raises RuntimeError after `close`."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.extend(jobs)
            self._changed.notify()  # what one lane leaves it tells the next of

    def close(self, timeout: float | None = None) -> bool:
        """Finish what waits, then stop. timeout: seconds to wait for that. Returns whether all is finished."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def busy_seconds(self) -> float:
        """How long the batch that has been running longest has been running; 0 when none runs."""
        begun = [*self._running.values()]
        return time.monotonic() - min(begun) if begun else 0.0

    def _work(self, lane: int) -> None:
        while batch := self._next(lane):
            outcomes = self._outcomes(batch)
            try:
                self._then([*zip(batch, outcomes, strict=True)])
            except Exception:  # the lane goes on; the lease of these rows brings them back
                log.exception("what became of a batch of %d could not be handed on", len(batch))

    def _may_begin(self) -> bool:
        waiting, others = len(self._waiting), max(1, len(self._threads) - 1)
        return self._closed or (waiting > 0 and waiting / self._max_batch >= len(self._running) / others)

    def _next(self, lane: int) -> list[Job]:
        """The oldest job and those behind it that may share its batch; nothing once the batcher is closed and empty."""
        with self._changed:
            self._running.pop(lane, None)
            self._changed.wait_for(self._may_begin)
            if not self._waiting:
                return []
            self._running[lane] = time.monotonic()
            key = self._key(self._waiting[0])
            batch: list[Job] = []
            others: list[Job] = []
            while self._waiting and len(batch) < self._max_batch:
                job = self._waiting.popleft()
                (batch if self._key(job) == key else others).append(job)
            self._waiting.extendleft(reversed(others))
            if self._waiting:
                self._changed.notify()
            return batch

    def _outcomes(self, jobs: list[Job]) -> list[Outcome | Exception]:
        """One for each job. When a batch fails its jobs run one by one, so that only the bad one fails."""
        try:
            outcomes = list(self._run_batch(jobs))
            if len(outcomes) != len(jobs):
                raise RuntimeError(f"{len(jobs)} jobs gave {len(outcomes)} outcomes")
            return [*outcomes]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            log.warning("a batch of %d failed, its jobs run one by one: %s", len(jobs), error)
            return [outcome for job in jobs for outcome in self._outcomes([job])]
