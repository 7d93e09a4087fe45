"""How many photos run at once on a device: a few sizes known beforehand, and fewer when its memory does not do."""

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch

log = logging.getLogger(__name__)

Photo = TypeVar("Photo")
Found = TypeVar("Found")


class Batches:
    """Sizes of batches. On a GPU the powers of two: kernels are chosen, and graphs recorded, once for each of them."""

    def __init__(self, most: int, *, padded: bool):
        """most: photos at once, as far as memory allows. padded: only powers of two are run, and `most`."""
        if most < 1:
            raise ValueError(f"a batch has at least one photo, not {most}")
        self.most, self.padded = most, padded

    @property
    def sizes(self) -> list[int]:
        """The buckets, smallest first."""
        return [*(1 << power for power in range(self.most.bit_length()) if 1 << power < self.most), self.most]

    def bucket(self, photos: int) -> int:
        """Rows that so many photos are run in: the smallest bucket that holds them; without buckets as many."""
        return self.sizes[bisect_left(self.sizes, photos)] if self.padded and photos <= self.most else photos

    def run(self, work: Callable[[Sequence[Photo]], Iterable[list[Found]]], photos: Sequence[Photo]) -> list[Found]:
        """Work through all photos; where memory does not do, with half as many at once, from then on.

        work gives what it found part by part, in order, and cuts what it is given by `most`. Raises what it raises, the
        error about memory only when a single photo is too much.
        """
        found: list[Found] = []
        while len(found) < len(photos):
            left = photos[len(found) :]
            try:
                for part in work(left):
                    found += part
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or min(self.most, len(left)) == 1:
                    raise
                self.most = min(self.most, len(photos) - len(found)) // 2
                log.warning("out of memory: from now on at most %d photos at once (%s)", self.most, _first_line(error))
            if torch.cuda.is_initialized():  # outside of `except`, which holds on to the tensors of the failed batch
                torch.cuda.empty_cache()
        return found


def is_out_of_memory(error: BaseException) -> bool:
    """A GPU's allocator has an error of its own, that of the CPU only its words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) or "bad_alloc" in str(error)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
