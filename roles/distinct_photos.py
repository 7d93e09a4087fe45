"""Many photos from few, no two alike: a number is drawn into a corner, in dots that outlive JPEG."""

import io
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from PIL import Image, ImageDraw

DOT = 4  # pixels a side
BITS = 20


def distinct_photos(files: Sequence[Path], count: int) -> Iterator[bytes]:
    """JPEGs, made one by one as they are asked for."""
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
