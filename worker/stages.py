"""Stages in a row: each runs its items in batches and hands each one on, depending on its outcome.

What waits for a stage while it is busy runs in its next batch. Items have no thread of their own: on two cores,
waking so many threads cost as much as the beam search.
"""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from worker.batcher import Batcher
from worker.job_types import Job

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Ready(Generic[Out]):
    """The next stage goes on with this item; after the last stage it is finished."""

    item: Out


@dataclass(frozen=True)
class Failed:
    """There will be no caption. The last stage writes the reason, which is shown to people."""

    reason: str


@dataclass(frozen=True)
class NotYet:
    """The same stage tries again after a while."""

    seconds: float
    counts: bool = True  # in the item's `retries`; not while something is away that no item is to blame for


@dataclass(frozen=True)
class NotOurs:
    """The caption is finished, claimed by another worker, or removed. Nothing more is done here."""


Outcome = Ready[Out] | Failed | NotYet | NotOurs
Ended = Ready[Any] | NotOurs | Exception  # outcomes with which an item leaves the pipeline


@dataclass(frozen=True)
class Stage(Generic[In, Out]):
    """One step of a pipeline. For the other fields see Batcher."""

    name: str
    run: Callable[[list[In]], Sequence[Outcome[Out]]]  # one outcome for each item, in the same order
    max_batch: int
    lanes: int = 1
    key: Callable[[In], Hashable] = lambda item: None
    owner: Callable[[In], Hashable] = lambda item: None


class Pipeline:
    """Runs items through its stages, from the first to the last."""

    def __init__(self, *stages: Stage[Any, Any], ended: Callable[[list[tuple[Any, Ended]]], None]):
        """
        Args:
            stages: in order. All but the first take and give jobs.
            ended: gets the items that leave the pipeline, with their last outcomes: Ready when the last stage finished
                them, NotOurs, or the exception that a stage raised for them.
        """
        self._ended = ended
        self._batchers = {
            stage.name: Batcher(
                stage.run,
                partial(self._hand_on, stage.name, after.name if after else None),
                stage.max_batch,
                lanes=stage.lanes,
                key=stage.key,
                owner=stage.owner,
                name=stage.name,
            )
            for stage, after in zip(stages, [*stages[1:], None], strict=True)
        }
        self._first, self._last = stages[0].name, stages[-1].name

    def submit(self, items: Iterable[Any]) -> None:
        """Give items to the first stage. Returns at once. Raises RuntimeError after `close`."""
        self._batchers[self._first].submit(items)

    def busy_seconds(self, *stages: str) -> float:
        """For how long the oldest batch that these stages run has been running."""
        return max(self._batchers[name].busy_seconds() for name in stages)

    def close(self, timeout: float) -> bool:
        """Finish what is in work, stage by stage, and take no more. Returns whether all was finished in time."""
        end = time.monotonic() + timeout
        finished = True
        for batcher in self._batchers.values():
            finished &= batcher.close(max(0.0, end - time.monotonic()))
        return finished

    def _hand_on(self, stage: str, after: str | None, outcomes: Sequence[tuple[Any, Outcome[Any] | Exception]]) -> None:
        ready: list[Any] = []
        failed: list[Job[Failed]] = []
        again: dict[float, list[Job[Any]]] = defaultdict(list)  # by the seconds to wait
        ended: list[tuple[Any, Ended]] = []
        for item, outcome in outcomes:
            match outcome:
                case Ready() if after:
                    ready.append(outcome.item)
                case Failed():
                    failed.append(item.with_value(outcome))
                case NotYet():
                    again[outcome.seconds].append(item.retried() if outcome.counts else item)
                case _:
                    ended.append((item, outcome))
        if ended:
            self._ended(ended)
        for seconds, items in again.items():
            timer = threading.Timer(seconds, self._try_again, (stage, items))
            timer.daemon = True
            timer.start()
        if failed:
            self._batchers[self._last].submit(failed)
        if ready and after:
            self._batchers[after].submit(ready)

    def _try_again(self, stage: str, items: list[Job[Any]]) -> None:
        with contextlib.suppress(RuntimeError):  # closed meanwhile: the worker stops and gives its captions back
            self._batchers[stage].submit(items)
