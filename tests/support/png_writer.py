"""Writes PNGs that Pillow reads but cannot write: any bit depth, and interlaced (Adam7)."""

import struct
import zlib

import numpy as np

from tests.support.picture_parts import png_chunk

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> samples of a pixel
PASSES = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)


def write_png(
    pixels: np.ndarray, colour_type: int, depth: int, *, interlaced: bool = False, palette: bytes = b""
) -> bytes:
    """pixels: (height, width, samples of a pixel), each of `depth` bits."""
    height, width, channels = pixels.shape
    assert channels == CHANNELS[colour_type]
    parts = [pixels[y::down, x::across] for x, y, across, down in PASSES] if interlaced else [pixels]
    rows = b"".join(b"\0" + _packed(row, depth) for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            png_chunk(b"PLTE", palette) if palette else b"",
            png_chunk(b"IDAT", zlib.compress(rows)),
            png_chunk(b"IEND", b""),
        ]
    )


def _packed(row: np.ndarray, depth: int) -> bytes:
    """A row of samples as bytes."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth :]
    return np.packbits(bits).tobytes()
