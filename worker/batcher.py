"""Gathers jobs into batches without a timer: while the engine is busy they gather, when it is free it takes what waits.

An idle worker answers a lone job at once, a busy one runs full batches.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Batcher(Generic[Job, Outcome]):
    """A thread that runs batches, one after the other."""

    def __init__(
        self,
        run: Callable[[list[Job]], Sequence[Outcome]],
        max_batch: int,
        *,
        key: Callable[[Job], Hashable] = lambda job: None,
        name: str = "batcher",
    ):
        """run: jobs to as many outcomes, in the same order. key: only jobs whose keys are equal share a batch."""
        self._run_batch, self._max_batch, self._key = run, max_batch, key
        self._waiting: deque[tuple[Job, Future[Outcome]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._since: float | None = None  # when the batch that runs began, as time.monotonic()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> "Future[Outcome]":
        """The outcome of this job, or what it raised. Raises RuntimeError after `close`."""
        future: Future[Outcome] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append((job, future))
            self._changed.notify()
        return future

    def close(self, timeout: float | None = None) -> None:
        """Finish what waits, then stop. timeout: seconds to wait for that."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)

    def busy_seconds(self) -> float:
        """How long the batch that runs has been running; 0 when none does."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def _work(self) -> None:
        while batch := self._next():
            self._since = time.monotonic()
            jobs = [job for job, _ in batch]
            for (_, future), outcome in zip(batch, self._outcomes(jobs), strict=True):
                if isinstance(outcome, _Raised):
                    future.set_exception(outcome.error)
                else:
                    future.set_result(outcome)
            self._since = None

    def _next(self) -> list[tuple[Job, "Future[Outcome]"]]:
        """The oldest job and those behind it that may share its batch; nothing once the batcher is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            key = self._key(self._waiting[0][0])
            batch: list[tuple[Job, Future[Outcome]]] = []
            others: list[tuple[Job, Future[Outcome]]] = []
            while self._waiting and len(batch) < self._max_batch:
                entry = self._waiting.popleft()
                (batch if self._key(entry[0]) == key else others).append(entry)
            self._waiting.extendleft(reversed(others))
            return batch

    def _outcomes(self, jobs: list[Job]) -> "list[Outcome | _Raised]":
        """One for each job. When a batch fails its jobs run one by one, so that only the bad one fails."""
        try:
            outcomes = list(self._run_batch(jobs))
            if len(outcomes) != len(jobs):
                raise RuntimeError(f"{len(jobs)} jobs gave {len(outcomes)} outcomes")
            return [*outcomes]
        except Exception as error:
            if len(jobs) == 1:
                return [_Raised(error)]
            log.warning("a batch of %d failed, its jobs run one by one: %s", len(jobs), error)
            return [outcome for job in jobs for outcome in self._outcomes([job])]


class _Raised:
    def __init__(self, error: Exception):
        self.error = error
