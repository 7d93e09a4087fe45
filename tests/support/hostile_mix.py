"""Uploads that cost a lot for their size: large pictures in few bytes, endless files, bombs, lies and wrong names."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.support.costly_files import COSTLY
from tests.support.heif_parts import coded_item, grid, heif
from tests.support.hostile_files import DRAWING, PAGE, gif_bomb, jpeg_bomb, png_bomb
from tests.support.picture_parts import (
    animation,
    damaged_frame,
    encoded,
    jpeg_segment,
    png_chunk,
    with_jpeg_segment,
    with_png_chunk,
)
from tests.support.png_writer import CHANNELS, write_png

LARGE = 8000, 6000  # 48 megapixels; 50 are accepted by default
SMALL = 96, 64
BOMB = zlib.compress(bytes(300_000_000), 9)  # 0.3 MB


@cache
def plain(format: str, mode: str = "RGB", **options: object) -> bytes:
    return encoded(Image.new(mode, LARGE), format, **options)


@cache
def interlaced(mode: str) -> bytes:
    """A plain PNG of 48 megapixels in seven passes."""
    samples = CHANNELS[kind := {"L": 0, "RGBA": 6}[mode]]
    return write_png(np.zeros((*LARGE[::-1], samples), dtype=np.uint8), kind, 8, interlaced=True)


@cache
def noisy(format: str, size: tuple[int, int] = (4000, 3000), **options: object) -> bytes:
    """One that has most of its bytes in its pixels."""
    return encoded(Image.effect_noise(size, 60).convert("RGB"), format, **options)


@cache
def frames(format: str, count: int, size: tuple[int, int], **options: object) -> bytes:
    """An animation in which every frame is plain, so that a frame that shows something is looked for until the end."""
    pictures = [Image.new("L", size, number % 256).convert("P") for number in range(count)]
    if format == "WEBP":
        options = {"lossless": True, "kmin": 0, "kmax": 1}  # keeps every frame
    return animation(pictures if format == "GIF" else [one.convert("RGB") for one in pictures], format, **options)


def tiles() -> bytes:
    """A HEIC of 48 megapixels in tiles that are all the same."""
    tile, count = coded_item("HEIF", (512, 512), (512, 512)), 16 * 12
    return heif("HEIF", [grid(LARGE, LARGE, 16, 12, range(2, count + 2)), *count * [tile]])


def tiff(width: int, height: int, entries: int = 8) -> bytes:
    """A header and tags without pixels; the number of tags may be a lie."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (278, height), (279, 2**31)]
    return b"II*\0" + struct.pack("<IH", 8, entries) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in tags)


def huge_exif() -> bytes:
    """A JPEG whose EXIF has tags that point at each other, as many as a segment holds."""
    tag = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return jpeg_segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<IH", 8, 5000) + tag * 5000)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("photo.jpg", bytes(50_000_000))
    return buffer.getvalue()


def entities() -> bytes:
    """The "billion laughs"."""
    lines = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">' + lines + b"]>" + DRAWING[21:] % b"&a9;"


def scans(count: int) -> bytes:
    """A progressive JPEG of 48 megapixels whose last scan is said over and over."""
    data = plain("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def share(make: Callable[[], bytes], percent: int) -> bytes:
    data = make()
    return data[: len(data) * percent // 100]


def bad_frames(format: str, count: int) -> bytes:
    """An animation of large frames, the first ones of which are damaged."""
    data = frames(format, 20, (2000, 1500))
    for number in range(count):
        data = damaged_frame(data, format, number)
    return data


def bomb(kind: bytes, head: bytes) -> bytes:
    return with_png_chunk(encoded(Image.new("RGB", SMALL), "PNG"), png_chunk(kind, head + BOMB))


MIX: dict[str, Callable[[], bytes]] = {
    "PNG of 48 megapixels": partial(plain, "PNG"),
    "PNG of 48 megapixels, transparent": partial(plain, "PNG", "RGBA"),
    "PNG of 48 megapixels, 1 bit": partial(plain, "PNG", "1"),
    "PNG of 48 megapixels, 16 bits": partial(plain, "PNG", "I;16"),
    "JPEG of 48 megapixels": partial(plain, "JPEG"),
    "JPEG of 48 megapixels, progressive": partial(plain, "JPEG", progressive=True),
    "JPEG of 48 megapixels, CMYK": partial(plain, "JPEG", "CMYK", progressive=True),
    "JPEG of 48 megapixels, 90 scans": partial(scans, 80),
    "WebP of 48 megapixels": partial(plain, "WEBP", method=0),
    "WebP of 48 megapixels, lossless": partial(plain, "WEBP", lossless=True, method=0),
    "GIF of 48 megapixels": partial(plain, "GIF", "P"),
    "AVIF of 48 megapixels": partial(plain, "AVIF", speed=10),
    "AVIF that says 64 x 64": lambda: heif("AVIF", [coded_item("AVIF", LARGE, (64, 64))]),
    "AVIF that says 64 x 64, of 100 megapixels": lambda: heif("AVIF", [coded_item("AVIF", (10_000, 10_000), (64, 64))]),
    "HEIC of 48 megapixels": tiles,
    "GIF of 2,000 frames": partial(frames, "GIF", 2000, (640, 480)),
    "GIF of large frames": partial(frames, "GIF", 40, (2000, 1500)),
    "WebP of large frames": partial(frames, "WEBP", 40, (2000, 1500)),
    "PNG of large frames": partial(frames, "PNG", 40, (2000, 1500)),
    "AVIF of large frames": partial(frames, "AVIF", 20, (2000, 1500), speed=10),
    "GIF with damaged frames": partial(bad_frames, "GIF", 20),
    "WebP with damaged frames": partial(bad_frames, "WEBP", 20),
    "PNG with damaged frames": partial(bad_frames, "PNG", 20),
    **{
        f"{percent}% of a {format} of {size}": partial(share, make, percent)
        for size, make_of in (("48 megapixels", plain), ("12 megapixels of noise", noisy))
        for format, make in {
            "PNG": partial(make_of, "PNG"),
            "JPEG": partial(make_of, "JPEG"),
            "progressive JPEG": partial(make_of, "JPEG", progressive=True),
            "WebP": partial(make_of, "WEBP", method=0),
            "GIF": partial(make_of, "GIF"),
        }.items()
        for percent in (3, 45)
    },
    **{
        f"{percent}% of an interlaced PNG ({mode}) of 48 megapixels": partial(share, partial(interlaced, mode), percent)
        for mode in ("L", "RGBA")
        for percent in (1, 45)
    },
    "PNG bomb of 3,600 megapixels": partial(png_bomb, 60_000, 60_000),
    "PNG bomb of 49 megapixels": partial(png_bomb, 7_000, 7_000),
    "GIF bomb": partial(gif_bomb, (60_000, 60_000), 2),
    "JPEG of 300 scans": partial(jpeg_bomb, 300),
    "PNG with a profile of 300 MB": partial(bomb, b"iCCP", b"profile\0\0"),
    "PNG with a text of 300 MB": partial(bomb, b"zTXt", b"Comment\0\0"),
    "PNG with XMP of 300 MB": partial(bomb, b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
    "JPEG with endless EXIF": lambda: with_jpeg_segment(encoded(Image.new("RGB", SMALL), "JPEG"), huge_exif()),
    "TIFF of 3,600 megapixels": partial(tiff, 60_000, 60_000),
    "TIFF of 65,535 tags": partial(tiff, 100, 100, 65_535),
    "zip": archive,
    "gzip": lambda: gzip.compress(bytes(50_000_000)),
    "page": lambda: PAGE,
    "drawing": lambda: DRAWING % b"hello",
    "XML of entities": entities,
    **COSTLY,
}
