"""CUDA graphs of the search: each stretch of words is recorded once for a batch of one size, then launched as a whole.

A word takes about a hundred small operations; launched one by one they cost more than what they compute.
"""

from typing import Any

import torch

from model.torch_decoding import run_stretch, stretches
from model.torch_search import MEMORY, STATE, Arrays, TorchSearch


class GraphedRows:
    """See torch_decoding.Rows. The tensors of the recording are used for every batch, so one runs at a time."""

    def __init__(self, search: TorchSearch, memory: Arrays, state: Arrays, pool: Any):
        """memory, state: what `encode` gave for a batch of this size, any photos. pool: memory that graphs share."""
        self._start = {MEMORY + name: value.clone() for name, value in memory.items()}
        self._start |= {STATE + name: value.clone() for name, value in state.items()}
        self._graphs: list[torch.cuda.CUDAGraph] = []
        self._after: list[Arrays] = []  # the arrays that each stretch leaves behind
        trial = search.begin(memory, state)
        for stretch in range(stretches(search)):  # libraries set themselves up, which cannot be recorded
            run_stretch(search, trial, stretch)
        arrays: Arrays = {}
        for stretch in range(stretches(search)):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):  # others may load a model
                if stretch == 0:
                    arrays = search.begin(
                        {name: self._start[MEMORY + name] for name in memory},
                        {name: self._start[STATE + name] for name in state},
                    )
                run_stretch(search, arrays, stretch)
            self._graphs.append(graph)
            self._after.append(dict(arrays))

    def begin(self, memory: Arrays, state: Arrays) -> None:
        for prefix, values in ((MEMORY, memory), (STATE, state)):
            for name, value in values.items():
                self._start[prefix + name].copy_(value, non_blocking=True)

    def run(self, stretch: int) -> Arrays:
        self._graphs[stretch].replay()
        return self._after[stretch]

    def enter(self, stretch: int, arrays: Arrays) -> None:
        for name, value in self._after[stretch - 1].items():
            value.copy_(arrays[name], non_blocking=True)
