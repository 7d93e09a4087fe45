"""Which photos look the same although their files differ: made smaller, compressed again, a little brighter."""

import io

import numpy as np
from PIL import Image

SIDE, KEPT = 32, 8  # pixels of the small picture; of its waves so many in each direction
NEAR = (
    8  # bits in which two versions of one picture differ at most; of other pictures one pair in a million comes close
)


def perceptual_hash(photo: bytes) -> str:
    """16 hex digits: whether each of the 64 slowest waves of the picture is stronger than their median.

    After Zauner (2010), "Implementation and benchmarking of perceptual image hash functions", section 3.2.1.
    """
    with Image.open(io.BytesIO(photo)) as image:
        small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    waves = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T  # discrete cosine transform, (KEPT, KEPT)
    bits = (waves > np.median(waves)).flatten()
    return np.packbits(bits).tobytes().hex()


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


_COSINES = np.cos(
    np.pi / SIDE * np.outer(np.arange(1, KEPT + 1), np.arange(SIDE) + 0.5)
)  # without the mean: brightness
