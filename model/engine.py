"""What decoding needs of a network, whichever library runs it."""

import os
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from model.beam_search import Hypothesis, Rules

Array = Any  # NumPy array (OpenVINO engine) or PyTorch tensor (PyTorch engine)
Arrays = dict[str, Array]


MOST_STREAMS = 4  # each needs a batch of its own to be worth it


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_streams() -> int:
    """Batches that the network should run at the same time: one a core, which then waits for no other."""
    return min(MOST_STREAMS, cores())


def cpu_lanes() -> int:
    """Batches that should be in work on a CPU: one more than the network runs, for what a search does between words."""
    return cpu_streams() + 1


class Engine(Protocol):
    """An encoder and a decoder, loaded and ready. Raises UnavailableEngine when it is built without its library."""

    lanes: int  # batches that are best in work at the same time, each from a thread of its own

    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """Look at the photos: uint8 (batch, 224, 224, 3), RGB. Gives memory and state.

        memory: what the decoder looks at, leaves (batch, ...), the same for all words and beams of a photo.
        state: the recurrent state before the first word, leaves (batch, 1, ...), at least one.
        """
        ...

    def step(self, tokens: Array, memory: Arrays, state: Arrays) -> tuple[Array, Arrays, Array | None]:
        """Read one word per beam, int64 (batch, beams), and predict the next one.

        Gives log-probabilities float32 (batch, beams, vocabulary), which are the caller's own, the next state (batch,
        beams, ...), and attention float32 (batch, beams, regions), or None from a decoder without any.
        """
        ...


@runtime_checkable
class Searcher(Protocol):
    """An engine that searches itself, where its network is, and chooses the sizes of its batches."""

    encode_seconds: float  # that the encoder took for the photos of the last search

    def search(
        self, photos: Sequence[np.ndarray], *, beams: int, rules: Rules, nbest: int = 1
    ) -> list[list[Hypothesis]]:
        """What encoding all photos and `beam_search` with `step` gives."""
        ...

    def warm_up(self, photos: int, size: int, *, beams: int, rules: Rules, nbest: int = 1) -> None:
        """Set up what the first search of this kind would wait for. photos: the most at once; size: pixels a side."""
        ...
