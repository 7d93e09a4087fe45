"""The scene that all pictures of the zoo show, how it becomes a file, and what should become of each file.

The scene: red, green, blue and yellow quarters under some noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.support.picture_parts import (
    encoded,
)
from tests.support.png_writer import write_png

SIZE = 96, 64
# What becomes of a file: these, or the name of the error that uploads are refused with.
WHOLE, PART = "the whole picture", "its upper rows"
BROKEN, EMPTY, OTHER, NONE = "BrokenPhoto", "EmptyFile", "OtherPicture", "UnreadablePhoto"
LARGE, HEAVY = "TooManyPixels", "FileTooLarge"
MOST_BYTES, MOST_PIXELS = 600_000, 2_000_000  # limits under which the zoo is judged


@dataclass(frozen=True)
class Specimen:
    """A file, and what should become of it."""

    make: Callable[[], bytes]
    outcome: str = WHOLE
    scene: bool = True  # whether it shows the scene; False: something plain


ZOO: dict[str, Specimen] = {}


def keep(name: str, make: Callable[[], bytes], outcome: str = WHOLE, *, scene: bool = True) -> None:
    assert name not in ZOO, name
    ZOO[name] = Specimen(make, outcome, scene)


@cache
def scene() -> Image.Image:
    """As it should look when it is upright."""
    width, height = SIZE
    picture = Image.new("RGB", SIZE, (200, 30, 30))
    picture.paste((30, 170, 40), (width // 2, 0, width, height // 2))
    picture.paste((30, 40, 200), (0, height // 2, width // 2, height))
    picture.paste((210, 200, 40), (width // 2, height // 2, width, height))
    noise = np.random.default_rng(1).integers(-20, 21, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


@cache
def written(format: str, mode: str = "RGB", **options: object) -> bytes:
    """The scene as a file."""
    picture = scene()
    if mode == "LA":
        picture = picture.convert("L").convert("LA")
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257)
    elif mode == "P":
        picture = picture.quantize(int(options.pop("colours", 256)))
    else:
        picture = picture.convert(mode)
    return encoded(picture, format, **options)


@cache
def by_hand(colour_type: int, depth: int, interlaced: bool) -> bytes:
    """A PNG of the scene in a colour type and a bit depth."""
    mode, samples = {0: ("L", 1), 2: ("RGB", 3), 3: ("P", 1), 4: ("LA", 2), 6: ("RGBA", 4)}[colour_type]
    palette = b""
    if mode == "P":
        picture = scene().quantize(1 << depth)
        palette = bytes(picture.getpalette() or [])[: 3 << depth]
        values = np.asarray(picture)
    else:
        values = np.asarray(scene().convert("L").convert("LA") if mode == "LA" else scene().convert(mode)).astype(int)
        values = values * 257 if depth == 16 else values >> (8 - depth)
    return write_png(values.reshape(*SIZE[::-1], samples), colour_type, depth, interlaced=interlaced, palette=palette)


EVERY_FORMAT = {
    "jpeg": partial(written, "JPEG", quality=90),
    "progressive jpeg": partial(written, "JPEG", quality=90, progressive=True),
    "png": partial(written, "PNG"),
    "gif": partial(written, "GIF"),
    "webp": partial(written, "WEBP"),
    "lossless webp": partial(written, "WEBP", lossless=True),
    "heic": partial(written, "HEIF"),
    "avif": partial(written, "AVIF"),
}


def cut(data: bytes, share: float, *, fill: bool = False) -> bytes:
    """The first part of a file, with zeros for the rest or nothing."""
    at = int(len(data) * share)
    return data[:at] + bytes(len(data) - at) * fill
