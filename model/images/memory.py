"""Gives the memory of large pictures back to the system as soon as they are done with."""

import contextlib
import ctypes

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
LARGE = 8 << 20  # bytes; Pillow keeps the pixels of a picture in blocks of 16 MB


def return_large_blocks() -> None:
    """Let glibc map each large block of memory on its own, and so return it when it is freed.

    By default glibc learns from the first picture that large blocks come and go, and then keeps them: a process that
    had decoded a few large pictures in several threads held more than a gigabyte for good. Elsewhere this does nothing.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
