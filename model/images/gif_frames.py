"""How large the frames of a GIF are, read from its blocks before Pillow makes room for them.

A frame of a GIF may be larger than the file's header says. Pillow allocates the memory for it while it opens the file
or goes to the frame, before its size can be asked for, so that a file of a hundred bytes could take four gigabytes.
"""

import io
import struct
from collections.abc import Iterator

from model.images.picture_bytes import TooManyParts

COMMENT, APPLICATION = 0xFE, 0xFF  # labels of extensions
MOST_BLOCKS = 250_000  # each has up to 255 bytes


def frame_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Width and height in pixels that the whole picture has once each frame is drawn; they never shrink.

    Follows the blocks as Pillow's GifImageFile does, also where a file is damaged: the two must agree on what a frame
    is. Ends where the file does.

    Raises:
        TooManyParts: before the first frame, or between two of them.
    """
    file = _Blocks(data)
    header = file.read(13)
    width, height = struct.unpack("<HH", header[6:10])
    _skip_palette(file, header[10])
    first = True
    while (kind := file.read(1)) and kind != b";":
        if kind == b"!":
            _skip_extension(file, first)
        elif kind == b",":
            descriptor = file.read(9)
            if len(descriptor) < 9:
                return
            left, top, columns, rows, flags = struct.unpack("<HHHHB", descriptor)
            width, height = max(width, left + columns), max(height, top + rows)
            yield width, height
            first = False
            _skip_palette(file, flags)
            file.read(1)  # size of the codes
            _skip_blocks(file)


class _Blocks(io.BytesIO):
    """A file that counts what is read of it."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > 2 * MOST_BLOCKS:  # of each its length, and its content
            raise TooManyParts
        return super().read(size)


def _skip_extension(file: io.BytesIO, first: bool) -> None:
    label = file.read(1)
    if not label:
        return
    block = _read_block(file)
    if label[0] == COMMENT:
        while block:
            block = _read_block(file)
        return
    if label[0] == APPLICATION and first and block.startswith(b"NETSCAPE2.0"):
        _read_block(file)
    _skip_blocks(file)


def _read_block(file: io.BytesIO) -> bytes:
    """The next block of at most 255 bytes; empty at the end of a sequence of blocks."""
    length = file.read(1)
    return file.read(length[0]) if length else b""


def _skip_blocks(file: io.BytesIO) -> None:
    while _read_block(file):
        pass


def _skip_palette(file: io.BytesIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), io.SEEK_CUR)
