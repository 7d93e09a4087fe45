"""Runs jobs in batches without a timer: jobs gather while a batch runs, and the next batch takes all that wait.

So a lone job runs at once, and under load batches are full. Owners take turns: one who has many jobs here does not make
others wait until all of them are done. Several lanes run as many batches at the same time. The
more of them are busy, the fuller a batch must be to start in another: a small one costs nearly as much as a full one.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Batcher(Generic[Job, Outcome]):
    """One thread for each lane, which runs one batch after the other."""

    def __init__(
        self,
        run: Callable[[list[Job]], Sequence[Outcome]],
        then: Callable[[list[tuple[Job, Outcome | Exception]]], None],
        max_batch: int,
        *,
        lanes: int = 1,
        key: Callable[[Job], Hashable] = lambda job: None,
        owner: Callable[[Job], Hashable] = lambda job: None,
        name: str = "batcher",
    ):
        """
        Args:
            run: jobs to as many outcomes, in the same order.
            then: called with the jobs of each batch and their outcomes, or the exceptions that `run` raised for them,
                in the lane's thread.
            max_batch: jobs in a batch, at most.
            lanes: calls of `run` at the same time.
            key: only jobs with equal keys share a batch.
            owner: the first job of each owner comes before anybody's second, and so on.
            name: of the threads.
        """
        self._run_batch, self._then, self._max_batch, self._key = run, then, max_batch, key
        self._owner = owner
        self._waiting: list[Job] = []  # as they came
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
        """Add jobs, all at once, so that they may share a batch. Raises RuntimeError after `close`."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.extend(jobs)
            self._changed.notify()  # one lane; if it leaves jobs over, it notifies the next

    def close(self, timeout: float | None = None) -> bool:
        """Finish the jobs that wait, then stop.

        Args:
            timeout: seconds to wait for that; None is for ever.

        Returns:
            Whether all jobs are finished.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def busy_seconds(self) -> float:
        """For how long the oldest batch has been running; 0 when none runs."""
        begun = [*self._running.values()]
        return time.monotonic() - min(begun) if begun else 0.0

    def _work(self, lane: int) -> None:
        while batch := self._next(lane):
            outcomes = self._outcomes(batch)
            try:
                self._then([*zip(batch, outcomes, strict=True)])
            except Exception:  # the lane goes on; leases that expire bring these captions back
                log.exception("the outcomes of a batch of %d could not be handed on", len(batch))

    def _may_begin(self) -> bool:
        """Whether a lane should start a batch: with k of n other lanes busy, once a batch of k/n of the limit waits."""
        waiting, others = len(self._waiting), max(1, len(self._threads) - 1)
        return self._closed or (waiting > 0 and waiting / self._max_batch >= len(self._running) / others)

    def _next(self, lane: int) -> list[Job]:
        """The job whose turn it is and those that may share its batch; nothing once the batcher is closed and empty."""
        with self._changed:
            self._running.pop(lane, None)
            self._changed.wait_for(self._may_begin)
            if not self._waiting:
                return []
            self._running[lane] = time.monotonic()
            order = self._turns()
            key = self._key(self._waiting[order[0]])
            chosen = [place for place in order if self._key(self._waiting[place]) == key][: self._max_batch]
            batch = [self._waiting[place] for place in chosen]
            left = set(range(len(self._waiting))).difference(chosen)
            self._waiting = [self._waiting[place] for place in sorted(left)]
            if self._waiting:
                self._changed.notify()
            return batch

    def _turns(self) -> list[int]:
        """The places of the jobs that wait, in the order of their turns."""
        seen: Counter[Hashable] = Counter()
        turns = []
        for job in self._waiting:
            owner = self._owner(job)
            turns.append(seen[owner])
            seen[owner] += 1
        return sorted(range(len(turns)), key=turns.__getitem__)

    def _outcomes(self, jobs: list[Job]) -> list[Outcome | Exception]:
        """One outcome for each job. When a batch raises, its jobs run one by one, so that only the bad one fails."""
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
