"""Perceptual hash of a photo: it changes little when the photo is resized, recompressed or brightened."""

import numpy as np
from PIL import Image

SIDE = 32  # width and height in pixels to which a photo is reduced first
KEPT = 8  # number of lowest frequencies used in each direction, without the constant one
# Maximum distance of two versions of the same photo. Among different photos one pair in a million is as close.
NEAR = 8


def perceptual_hash(photo: Image.Image) -> str:
    """16 hexadecimal digits, one bit for each of 64 low frequencies: whether its coefficient is above their median.

    Zauner (2010), "Implementation and benchmarking of perceptual image hash functions", section 3.2.1.
    """
    small = photo.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    coefficients = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T  # discrete cosine transform, (KEPT, KEPT)
    bits = (coefficients > np.median(coefficients)).flatten()
    return np.packbits(bits).tobytes().hex()


def distance(one: str, other: str) -> int:
    """Hamming distance of two hashes: the number of bits, of 64, in which they differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


# (KEPT, SIDE). Frequency 0, the mean brightness, is left out.
_COSINES = np.cos(np.pi / SIDE * np.outer(np.arange(1, KEPT + 1), np.arange(SIDE) + 0.5))
