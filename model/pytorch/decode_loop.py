"""Run the search on a device from first word to last, in chunks of steps between which finished photos leave."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch

from model.hypotheses import Hypothesis
from model.pytorch.backtrace import backtrace, fetch, hypotheses
from model.pytorch.beam_search import Arrays, TorchSearch

CHUNK = 4  # steps between two checks for photos that are done: a check makes the device wait for the host


class Runner(Protocol):
    """Runs the search for a batch of one size."""

    def begin(self, memory: Arrays, state: Arrays) -> None:
        """Start with a new batch, from `TorchEngine.encode`."""
        ...

    def run(self, chunk: int) -> Arrays:
        """Run the steps of one chunk. The arrays that are returned do not change until the next call."""
        ...

    def resume(self, chunk: int, arrays: Arrays) -> None:
        """Start at this chunk with photos from a larger batch; arrays: what its `run` of the chunk before returned."""
        ...


class EagerRunner:
    """Launches each operation by itself, on any device and for any size of batch."""

    def __init__(self, search: TorchSearch):
        self._search = search
        self._arrays: Arrays = {}

    def begin(self, memory: Arrays, state: Arrays) -> None:
        self._arrays = self._search.begin(memory, state)

    def run(self, chunk: int) -> Arrays:
        run_chunk(self._search, self._arrays, chunk)
        return self._arrays

    def resume(self, chunk: int, arrays: Arrays) -> None:
        self._arrays = arrays


def run_chunk(search: TorchSearch, arrays: Arrays, chunk: int) -> None:
    """Run the steps of one chunk. Changes the arrays in place or replaces them."""
    for length in range(chunk * CHUNK, min((chunk + 1) * CHUNK, search.steps)):
        search.advance(arrays, length)


def chunks(search: TorchSearch) -> int:
    """The number of chunks of the longest possible search."""
    return -(-search.steps // CHUNK)


def decode(
    search: TorchSearch,
    memory: Arrays,
    state: Arrays,
    *,
    photos: int,
    bucket: Callable[[int], int],
    runner_for: Callable[[int], Runner],
) -> list[list[Hypothesis]]:
    """The best hypotheses of the photos. When half of a batch is done, the others continue in a smaller one.

    Args:
        search: the search for one width and one set of rules.
        memory, state: from `TorchEngine.encode`, leaves (rows, ...).
        photos: how many; they are the first rows, the others only fill the batch.
        bucket: number of photos -> number of rows of the batch that they are run in.
        runner_for: number of rows -> a runner for such a batch.
    """
    found: dict[int, list[Hypothesis]] = {}
    here = np.arange(photos)  # the photo in each row
    size = len(next(iter(state.values())))
    runner = runner_for(size)
    runner.begin(memory, state)
    for chunk in range(chunks(search)):
        arrays = runner.run(chunk)
        free = arrays["free"][: len(here)].cpu().numpy()
        unfinished = np.flatnonzero(free)
        smaller = bucket(len(unfinished)) if len(unfinished) else 0
        if smaller > size // 2:
            continue
        found.update(_finish(search, arrays, here, np.flatnonzero(free == 0)))
        if not len(unfinished):
            break
        here, size = here[unfinished], smaller
        chosen = torch.from_numpy(np.resize(unfinished, smaller)).to(arrays["free"].device)
        runner = runner_for(size)
        runner.resume(chunk + 1, {name: value[chosen] for name, value in arrays.items()})
    return [found[photo] for photo in range(photos)]


def _finish(search: TorchSearch, arrays: Arrays, here: np.ndarray, rows: np.ndarray) -> dict[int, list[Hypothesis]]:
    """Photo -> the best hypotheses, of the photos in these rows."""
    chosen = torch.from_numpy(rows).to(arrays["free"].device)
    finished = {name: value[chosen] for name, value in arrays.items() if "." not in name}
    found = hypotheses(fetch(backtrace(finished, search.nbest)), len(rows))
    return dict(zip(here[rows].tolist(), found, strict=True))
