"""The search on a device from first word to last: in stretches of a few words, between which finished photos leave."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch

from model.beam_search import Hypothesis
from model.torch_search import Arrays, TorchSearch
from model.torch_sentences import fetch, follow_back, sentences

STRETCH = 4  # words between two looks at what has finished: a look makes the device wait for the host


class Rows(Protocol):
    """Runs the search for a batch of one size."""

    def begin(self, memory: Arrays, state: Arrays) -> None: ...

    def run(self, stretch: int) -> Arrays:
        """The arrays after the words of this stretch. They stay as they are until the next call."""
        ...

    def enter(self, stretch: int, arrays: Arrays) -> None:
        """Take over photos that have come so far in a larger batch: what `run` of the stretch before gave."""
        ...


class EagerRows:
    """Launches each operation by itself: any device, any size."""

    def __init__(self, search: TorchSearch):
        self._search = search
        self._arrays: Arrays = {}

    def begin(self, memory: Arrays, state: Arrays) -> None:
        self._arrays = self._search.begin(memory, state)

    def run(self, stretch: int) -> Arrays:
        run_stretch(self._search, self._arrays, stretch)
        return self._arrays

    def enter(self, stretch: int, arrays: Arrays) -> None:
        self._arrays = arrays


def run_stretch(search: TorchSearch, arrays: Arrays, stretch: int) -> None:
    for length in range(stretch * STRETCH, min((stretch + 1) * STRETCH, search.steps)):
        search.word(arrays, length)


def stretches(search: TorchSearch) -> int:
    """How many there are at most."""
    return -(-search.steps // STRETCH)


def decode(
    search: TorchSearch,
    memory: Arrays,
    state: Arrays,
    *,
    photos: int,
    bucket: Callable[[int], int],
    rows_of: Callable[[int], Rows],
) -> list[list[Hypothesis]]:
    """The best sentences of the photos, which are the first rows of memory and state; the others only fill the batch.

    bucket: how many rows so many photos need. rows_of: what runs so many rows. When half a batch has finished the
    others go on in a smaller one.
    """
    found: dict[int, list[Hypothesis]] = {}
    here = np.arange(photos)  # which photo each row holds
    size = len(next(iter(state.values())))
    rows = rows_of(size)
    rows.begin(memory, state)
    for stretch in range(stretches(search)):
        arrays = rows.run(stretch)
        free = arrays["free"][: len(here)].cpu().numpy()
        going = np.flatnonzero(free)
        smaller = bucket(len(going)) if len(going) else 0
        if smaller > size // 2:
            continue
        found.update(_leave(search, arrays, here, np.flatnonzero(free == 0)))
        if not len(going):
            break
        here, size = here[going], smaller
        chosen = torch.from_numpy(np.resize(going, smaller)).to(arrays["free"].device)
        rows = rows_of(size)
        rows.enter(stretch + 1, {name: value[chosen] for name, value in arrays.items()})
    return [found[photo] for photo in range(photos)]


def _leave(search: TorchSearch, arrays: Arrays, here: np.ndarray, rows: np.ndarray) -> dict[int, list[Hypothesis]]:
    """Sentences of the photos in these rows, by photo."""
    chosen = torch.from_numpy(rows).to(arrays["free"].device)
    leaving = {name: value[chosen] for name, value in arrays.items() if "." not in name}
    found = sentences(fetch(follow_back(leaving, search.nbest)), len(rows))
    return dict(zip(here[rows].tolist(), found, strict=True))
