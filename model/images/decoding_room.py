"""How many pixels one process decodes at the same time: a file of a few kilobytes may unfold to hundreds of megabytes.

Whoever decodes takes room first, on a thread that may wait. Pixels are counted as the file's header has them: a JPEG
that is decoded at a fraction of its size takes less memory, but a progressive one keeps all its coefficients. (Pillow
offers no scaled decoding for the other formats, nor does libheif for HEIC and AVIF; the thumbnail in such a file is
seldom as large as what is stored here, and need not show the same.)
"""

import threading
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

DEFAULT = 60_000_000  # pixels; one picture of the largest size that is accepted by default, and small ones beside it


class DecodingRoom:
    """Room for pixels. A picture that is larger than all of it is decoded alone.

    Fair by size: while a picture waits, only so many pixels may pass it as it has itself. So a small picture does not
    wait for all the large ones that came before it, and small ones never hold up a large one for long.
    """

    def __init__(self, limit: int = DEFAULT):
        """limit: pixels; it may be changed while nothing is decoded."""
        self.limit = limit
        self._taken = 0  # pixels
        self._admitted = 0  # pixels of all pictures until now
        self._waiting: list[tuple[int, int]] = []  # the turns of those that wait, the next one first
        self._numbers = count()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Pictures that wait for room."""
        return len(self._waiting)

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Wait for room for a picture, and hold it until the picture is done with."""
        share = min(pixels, self.limit)
        with self._changed:
            turn = self._admitted + share, next(self._numbers)
            insort(self._waiting, turn)
            try:
                self._changed.wait_for(lambda: self._waiting[0] == turn and self._taken + share <= self.limit)
                self._taken += share
                self._admitted += share
            finally:  # also if the wait is interrupted
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= share
                self._changed.notify_all()


DECODING = DecodingRoom()  # of this process
