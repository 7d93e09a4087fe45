"""Pictures of the zoo that are good: depths and colours, orientations, sizes, animations."""

from functools import cache, partial

import numpy as np
from PIL import Image

from tests.support.hostile_files import png_bomb
from tests.support.picture_parts import (
    animation,
    damaged_frame,
    encoded,
)
from tests.support.zoo_scene import EVERY_FORMAT, HEAVY, LARGE, MOST_BYTES, SIZE, by_hand, cut, keep, scene, written

# Depths and colours
for name, options in {
    "of quality 5": {"quality": 5},
    "without subsampling": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "optimised": {"optimize": True},
    "with restart markers": {"restart_marker_blocks": 2},
    "in RGB": {"keep_rgb": True},
}.items():
    keep(f"jpeg {name}", partial(written, "JPEG", **options))
for mode in ("L", "CMYK", "YCbCr"):
    for progressive in (False, True):
        keep(f"jpeg {mode}{' progressive' * progressive}", partial(written, "JPEG", mode, progressive=progressive))
for colour_type, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (4, 8), 4: (8, 16), 6: (8, 16)}.items():
    for depth in depths:
        for interlaced in (False, True):
            name = f"png of type {colour_type}, {depth} bits{', interlaced' * interlaced}"
            keep(name, partial(by_hand, colour_type, depth, interlaced), scene=depth > 1)
for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
    keep(f"png {mode}", partial(written, "PNG", mode), scene=mode != "1")
for mode, colour in {"L": 0, "RGB": (1, 2, 3), "P": 0, "I;16": 1}.items():
    keep(f"png {mode} with a transparent colour", partial(written, "PNG", mode, transparency=colour), scene=mode != "P")
for mode in ("L", "P", "RGB"):
    for interlace in (0, 1):
        keep(f"gif {mode}{' interlaced' * interlace}", partial(written, "GIF", mode, interlace=interlace))
for mode in ("L", "RGB", "RGBA"):
    for format in ("WEBP", "HEIF", "AVIF"):
        keep(f"{format.lower()} {mode}", partial(written, format, mode))
keep("webp lossless RGBA", partial(written, "WEBP", "RGBA", lossless=True))
keep("webp of quality 1", partial(written, "WEBP", quality=1))
keep("heic 16 bits", partial(written, "HEIF", "I;16"))
keep("avif 4:4:4", partial(written, "AVIF", subsampling="4:4:4"))


# Orientation
@cache
def _turned(format: str, orientation: int) -> bytes:
    """As a camera stores it: pixels as on the sensor, and a tag that tells how to turn them upright."""
    as_stored = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    picture = scene() if as_stored is None else scene().transpose(Image.Transpose(as_stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, format, exif=exif.tobytes())


for orientation in range(1, 9):
    for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        keep(f"{format.lower()} of orientation {orientation}", partial(_turned, format, orientation))


# Sizes
def _plain(size: tuple[int, int], format: str) -> bytes:
    return encoded(Image.new("RGB", size, (40, 90, 160)), format)


for format in ("JPEG", "PNG", "GIF", "WEBP", "HEIF", "AVIF"):
    keep(f"{format.lower()} of one pixel", partial(_plain, (1, 1), format), scene=False)
    keep(f"{format.lower()} that is wide", partial(_plain, (1600, 16), format), scene=False)
    keep(f"{format.lower()} of too many pixels", partial(_plain, (2000, 1001), format), LARGE)
for size in ((1, 3000), (3000, 1), (1600, 1200)):
    keep(f"jpeg of {size[0]} x {size[1]}", partial(_plain, size, "JPEG"), scene=False)
keep("png bomb", lambda: png_bomb(60_000, 60_000), LARGE)
keep("file of too many bytes", lambda: EVERY_FORMAT["jpeg"]() + bytes(MOST_BYTES), HEAVY)


# Animations
@cache
def _animation(format: str, opening: str = "") -> bytes:
    """Eight frames of the scene, behind dark or blank ones."""
    rng = np.random.default_rng(2)
    dark = [Image.fromarray(rng.integers(0, 9, (*SIZE[::-1], 3), dtype=np.uint8)) for _ in range(20)]
    frames = {"dark": dark, "blank": [Image.new("RGB", SIZE, "white")] * 3}.get(opening, [])
    for _ in range(8):
        noise = rng.integers(-9, 10, (*SIZE[::-1], 1))
        frames = [*frames, Image.fromarray(np.clip(np.asarray(scene()) + noise, 0, 255).astype(np.uint8))]
    options = {"lossless": True, "kmin": 0, "kmax": 1} if format == "WEBP" else {}
    return animation(frames, format, **options)


for format in ("GIF", "PNG", "WEBP", "AVIF"):
    for opening in ("", "dark", "blank"):
        keep(f"animated {format.lower()} {opening}", partial(_animation, format, opening))
for format in ("GIF", "PNG", "WEBP"):
    for percent in (20, 60):
        keep(f"{percent}% of an animated {format.lower()}", lambda f=format, p=percent: cut(_animation(f), p / 100))
    for number in (1, 3):
        keep(
            f"animated {format.lower()} with a bad frame {number}",
            lambda f=format, number=number: damaged_frame(_animation(f), f, number),
        )
