"""Makes many distinct photos from a few: each has a number in its corner, in dots large enough for JPEG."""

import io
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from PIL import Image, ImageDraw

DOT = 4  # pixels
BITS = 20


def distinct_photos(files: Sequence[Path], count: int) -> Iterator[bytes]:
    """Yield JPEGs, which are made lazily."""
    for number, path in enumerate(islice(cycle(files), count)):
        with Image.open(path) as image:
            photo = image.convert("RGB")
        pen = ImageDraw.Draw(photo)
        for bit in range(BITS):
            left, top = bit % 5 * DOT, bit // 5 * DOT
            pen.rectangle((left, top, left + DOT - 1, top + DOT - 1), "white" if number >> bit & 1 else "black")
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=95)
        yield buffer.getvalue()
