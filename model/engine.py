"""The interface of an engine: encoder and decoder as decoding needs them, whichever library runs them."""

import os
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from model.hypotheses import Hypothesis, Rules

Array = Any  # NumPy array (OpenVINO engine) or PyTorch tensor (PyTorch engine)
Arrays = dict[str, Array]


MOST_STREAMS = 4  # each needs a batch of its own to be of use


def cores() -> int:
    """The number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_streams() -> int:
    """Batches that the network should compute at the same time: one per core, so that no core waits for another."""
    return min(MOST_STREAMS, cores())


def cpu_lanes() -> int:
    """Batches that should be in progress on a CPU: one more than the network computes at the same time.

    Beam search chooses words between two steps, and another batch uses the network meanwhile.
    """
    return cpu_streams() + 1


class Engine(Protocol):
    """An encoder and a decoder that are loaded and ready."""

    lanes: int  # batches that should be in progress at the same time, each in a thread of its own

    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """Encode the photos, uint8 RGB (batch, 224, 224, 3).

        Returns:
            The decoder's memory of each photo, leaves (batch, ...), the same for all its words and beams; and the
            recurrent state before the first word, at least one leaf, (batch, 1, ...).
        """
        ...

    def step(self, tokens: Array, memory: Arrays, state: Arrays) -> tuple[Array, Arrays, Array | None]:
        """Read one word per beam and predict the next one.

        Args:
            tokens: int64 (batch, beams).
            memory: from `encode`.
            state: from `encode` or the step before, leaves (batch, beams, ...).

        Returns:
            Log-probabilities float32 (batch, beams, vocabulary), natural logarithm, in an array that the caller may
            overwrite; the next state; attention weights float32 (batch, beams, regions), or None from a decoder without
            attention.
        """
        ...


@runtime_checkable
class Searcher(Protocol):
    """An engine with a beam search of its own, on its device, that chooses the sizes of its batches."""

    encode_seconds: float  # time of the encoder for the photos of the last search

    def search(
        self, photos: Sequence[np.ndarray], *, beams: int, rules: Rules, nbest: int = 1
    ) -> list[list[Hypothesis]]:
        """Give the same as `encode` and `beam_search` with `step`."""
        ...

    def warm_up(self, photos: int, size: int, *, beams: int, rules: Rules, nbest: int = 1) -> None:
        """Prepare what the first search of this kind would wait for. photos: largest batch; size: pixels per side."""
        ...
