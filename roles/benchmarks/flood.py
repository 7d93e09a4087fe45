"""How long a person waits for one photo while somebody else has many waiting."""

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from statistics import median
from typing import Protocol

SINGLES = 10  # people with one photo each; half of them come without a flooder
TIMEOUT = 120.0  # seconds without any caption


class FrontEnd(Protocol):
    def submit(self, photo: bytes, sender: str = ...) -> int: ...

    def wait(self, seconds: float) -> tuple[int, float]: ...


def bench_flood(
    front_end: FrontEnd, worker: Callable[[], AbstractContextManager[None]], photos: Sequence[bytes]
) -> Iterator[tuple[str, str]]:
    """Yield the median time of a single photo, without a flooder and beside one.

    Args:
        worker: starts a worker.
        photos: SINGLES, and one for each that the flooder has waiting.
    """
    half = SINGLES // 2
    with worker():
        _describe(front_end, photos[-1], "flooder")  # the worker has started
        alone = [_describe(front_end, photo, f"alone {number}") for number, photo in enumerate(photos[:half])]
    flood = {front_end.submit(photo, "flooder") for photo in photos[SINGLES:-1]}
    with worker():
        _wait_for(front_end, flood)
        beside = [_describe(front_end, photo, f"beside {number}") for number, photo in enumerate(photos[half:SINGLES])]
    yield "single, alone", f"{1000 * median(seconds for seconds, _ in alone):.0f} ms; median of {len(alone)}"
    yield (
        "single, flooded",
        f"{1000 * median(seconds for seconds, _ in beside):.0f} ms while {len(flood)} photos of another person wait, of"
        f" which {median(others for _, others in beside):.0f} are captioned meanwhile; median of {len(beside)}",
    )


def _describe(front_end: FrontEnd, photo: bytes, sender: str) -> tuple[float, int]:
    """Submit a photo and wait for its caption. Returns the seconds, and how many others were finished meanwhile."""
    while True:
        try:
            front_end.wait(0)
        except queue.Empty:
            break
    start = time.perf_counter()
    others, finished = _wait_for(front_end, {front_end.submit(photo, sender)})
    return finished - start, others


def _wait_for(front_end: FrontEnd, rows: set[int]) -> tuple[int, float]:
    """Wait until one of these rows is finished. Returns how many others were before it, and when it was finished."""
    others = 0
    while True:
        row, finished = front_end.wait(TIMEOUT)
        if row in rows:
            return others, finished
        others += 1
