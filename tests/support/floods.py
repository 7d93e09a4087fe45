"""What the floods of both chat platforms share: photos of noise, and how waiting times are told."""

import io
import statistics
from collections.abc import Sequence

import numpy as np
from PIL import Image


def noise(seed: int, size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG of soft random colours; every seed is another photo."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def spread(times: Sequence[float]) -> str:
    """median, 95th percentile and longest of times in seconds."""
    if not times:
        return "-"
    slow = sorted(times)[max(0, round(0.95 * len(times)) - 1)]
    return f"median {statistics.median(times):.2f}, 95 % {slow:.2f}, longest {max(times):.2f} s"
