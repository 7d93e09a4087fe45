"""Sizes of batches on a device: a few that are known in advance, and smaller ones after it runs out of memory."""

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch

from model.errors import one_line

log = logging.getLogger(__name__)

Photo = TypeVar("Photo")
Result = TypeVar("Result")


class BatchSizes:
    """The sizes of batches that are run. On a GPU kernels are chosen, and graphs recorded, once for each of them."""

    def __init__(self, largest: int, *, padded: bool):
        """largest: photos in a batch, as far as memory allows. padded: run powers of two and `largest` only."""
        if largest < 1:
            raise ValueError(f"a batch has at least one photo, not {largest}")
        self.largest, self.padded = largest, padded

    @property
    def sizes(self) -> list[int]:
        """The sizes with padding, smallest first."""
        return [*(1 << power for power in range(self.largest.bit_length()) if 1 << power < self.largest), self.largest]

    def bucket(self, photos: int) -> int:
        """The size of the batch for this many photos: with padding the smallest one that holds them."""
        return self.sizes[bisect_left(self.sizes, photos)] if self.padded and photos <= self.largest else photos

    def run(self, work: Callable[[Sequence[Photo]], Iterable[list[Result]]], photos: Sequence[Photo]) -> list[Result]:
        """Process all photos. After running out of memory go on with batches half as large, from then on.

        Args:
            work: processes photos in batches of at most `largest`, and yields the results of each batch in order.
            photos: all photos.

        Raises:
            RuntimeError, MemoryError: memory is too small even for a single photo; and whatever `work` raises.
        """
        results: list[Result] = []
        while len(results) < len(photos):
            left = photos[len(results) :]
            try:
                for part in work(left):
                    results += part
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or min(self.largest, len(left)) == 1:
                    raise
                self.largest = min(self.largest, len(photos) - len(results)) // 2
                log.warning("out of memory: from now on at most %d photos at once (%s)", self.largest, one_line(error))
            if torch.cuda.is_initialized():  # outside of `except`, which keeps the tensors of the failed batch alive
                torch.cuda.empty_cache()
        return results


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out. A GPU's allocator has an error class of its own, that of the CPU only a message."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) or "bad_alloc" in str(error)
