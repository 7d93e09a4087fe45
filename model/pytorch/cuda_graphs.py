"""CUDA graphs of the search: a few steps are recorded once for each size of batch, then launched as a whole.

A step takes about a hundred small operations. Launching them one by one takes longer than what they compute.
"""

from typing import Any

import torch

from model.pytorch.beam_search import MEMORY, STATE, Arrays, TorchSearch
from model.pytorch.decode_loop import chunks, run_chunk


class GraphRunner:
    """A decode_loop.Runner. Every batch uses the tensors of the recording, so one batch runs at a time."""

    def __init__(self, search: TorchSearch, memory: Arrays, state: Arrays, pool: Any):
        """Record the search.

        Args:
            search: what is recorded.
            memory, state: from `TorchEngine.encode`, for a batch of the size that is recorded, of any photos.
            pool: memory that all graphs share, from torch.cuda.graph_pool_handle.
        """
        self._start = {MEMORY + name: value.clone() for name, value in memory.items()}
        self._start |= {STATE + name: value.clone() for name, value in state.items()}
        self._graphs: list[torch.cuda.CUDAGraph] = []
        self._after: list[Arrays] = []  # the arrays after each chunk
        trial = search.begin(memory, state)
        for chunk in range(chunks(search)):  # libraries initialise themselves, which cannot be recorded
            run_chunk(search, trial, chunk)
        arrays: Arrays = {}
        for chunk in range(chunks(search)):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph, pool=pool, capture_error_mode="thread_local"
            ):  # other threads may load a model
                if chunk == 0:
                    arrays = search.begin(
                        {name: self._start[MEMORY + name] for name in memory},
                        {name: self._start[STATE + name] for name in state},
                    )
                run_chunk(search, arrays, chunk)
            self._graphs.append(graph)
            self._after.append(dict(arrays))

    def begin(self, memory: Arrays, state: Arrays) -> None:
        for prefix, values in ((MEMORY, memory), (STATE, state)):
            for name, value in values.items():
                self._start[prefix + name].copy_(value, non_blocking=True)

    def run(self, chunk: int) -> Arrays:
        self._graphs[chunk].replay()
        return self._after[chunk]

    def resume(self, chunk: int, arrays: Arrays) -> None:
        for name, value in self._after[chunk - 1].items():
            value.copy_(arrays[name], non_blocking=True)
