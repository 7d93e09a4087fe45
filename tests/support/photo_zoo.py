"""A zoo of picture files, each with what should become of it: one kind of damage, metadata or encoding at a time.

All show the same scene: red, green, blue and yellow quarters under some noise. `ZOO` has the files by name.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image, ImageCms

from tests.support.hostile_files import OTHERS, PAGE, jpeg_bomb, png_bomb
from tests.support.picture_parts import (
    TRAILER,
    animation,
    damaged_frame,
    encoded,
    jpeg_segment,
    png_chunk,
    riff,
    riff_chunks,
    with_jpeg_segment,
    with_png_chunk,
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

# Metadata
BAD_EXIF = b"Exif\0\0MM\0*\xff\xff\xff\xff"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
for name, options in {
    "good EXIF": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"},
    "bad EXIF": {"exif": BAD_EXIF},
    "a profile": {"icc_profile": PROFILE},
    "a broken profile": {"icc_profile": b"no profile" * 30},
    "broken XMP": {"xmp": b"<x:xmpmeta" + bytes(30)},
}.items():
    for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        if not (format == "PNG" and "xmp" in options):
            keep(f"{format.lower()} with {name}", partial(written, format, **options))
for name, segment in {
    "300 scans in a note": (0xE7, b"\xff\xda\x00" * 300),
    "a broken list of pictures": (0xE2, b"MPF\0" + bytes(5)),
    "a broken profile of many parts": (0xE2, b"ICC_PROFILE\0\x07\x02" + bytes(50)),
    "a broken Photoshop block": (0xED, b"Photoshop 3.0\x008BIM\x04\x04"),
    "a short JFIF segment": (0xE0, b"JFIF\0\1"),
    "a short Adobe segment": (0xEE, b"Adobe"),
    "a comment of zeros": (0xFE, bytes(60_000)),
}.items():
    keep(
        f"jpeg with {name}",
        lambda segment=segment: with_jpeg_segment(EVERY_FORMAT["jpeg"](), jpeg_segment(*segment)),
    )
BOMB = zlib.compress(bytes(3_000_000))
for name, chunk in {
    "a text of 3 MB": png_chunk(b"zTXt", b"Comment\0\0" + BOMB),
    "an international text of 3 MB": png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "XMP of 3 MB": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "a profile of 3 MB": png_chunk(b"iCCP", b"profile\0\0" + BOMB),
    "a text with a wrong checksum": png_chunk(b"tEXt", b"Comment\0of Ann", checksum=1),
    "a profile of an unknown method": png_chunk(b"iCCP", b"profile\0\7?"),
    "EXIF with a wrong checksum": png_chunk(b"eXIf", BAD_EXIF[6:], checksum=1),
    "a short pHYs": png_chunk(b"pHYs", b"1"),
    "a short gAMA": png_chunk(b"gAMA", b""),
    "a short cHRM": png_chunk(b"cHRM", b"123"),
    "a short sRGB": png_chunk(b"sRGB", b""),
    "a short tRNS": png_chunk(b"tRNS", b"\0"),
    "a short acTL": png_chunk(b"acTL", b"\0"),
    "a frame outside": png_chunk(b"fcTL", struct.pack(">5I", 0, 500, 500, 9, 9) + bytes(6)),
    "an unknown chunk": png_chunk(b"abCd", b"?" * 5_000, checksum=7),
}.items():
    keep(f"png with {name}", lambda chunk=chunk: with_png_chunk(EVERY_FORMAT["png"](), chunk))
    keep(f"png with {name} behind", lambda chunk=chunk: with_png_chunk(EVERY_FORMAT["png"](), chunk, before=b"IEND"))
for name, size in {"a small": 10, "a large": 2**32 - 1}.items():
    keep(
        f"webp that says to have {name} size",
        lambda size=size: b"RIFF" + struct.pack("<I", size) + EVERY_FORMAT["webp"]()[8:],
    )
keep("webp with an unknown chunk", lambda: riff([*riff_chunks(EVERY_FORMAT["webp"]()), (b"????", b"12345")]))

# Trailers
for format, make in EVERY_FORMAT.items():
    for name, trailer in {"a video": TRAILER, "a page": PAGE, "zeros": bytes(999), "itself": None}.items():
        keep(f"{format} and {name}", lambda make=make, trailer=trailer: make() + (trailer or make()))
keep("jpeg and 300 scans", lambda: EVERY_FORMAT["jpeg"]() + b"\xff\xda\x00" * 300)
for name in ("jpeg", "progressive jpeg"):
    for trailer in (TRAILER, bytes(999), b"SEFH" + bytes(40) + b"SEFT", b"\xff\xda\x00" * 300):
        keep(
            f"{name} with {trailer[:4].hex()} for its end",
            lambda make=EVERY_FORMAT[name], trailer=trailer: make()[:-2] + trailer,
        )

# Damage
for format, make in EVERY_FORMAT.items():
    if format in ("heic", "avif"):
        keep(f"{format} without its last byte", lambda make=make: make()[:-1], BROKEN)
    else:
        keep(f"{format} without its last bytes", lambda make=make: make()[:-2])
    for percent in (30, 80):
        outcome = PART if percent == 80 else BROKEN
        if format == "progressive jpeg":  # behind the first scan it is whole, if coarse
            outcome = WHOLE
        elif format == "gif":  # it is interlaced, so that rows from all over the picture are there
            outcome = PART
        elif format in ("heic", "avif"):
            outcome = BROKEN
        keep(f"{percent}% of a {format}", lambda make=make, share=percent / 100: _cut(make(), share), outcome)
        if format not in ("heic", "avif"):
            keep(
                f"{percent}% of a {format}, then zeros",
                lambda make=make, share=percent / 100: _cut(make(), share, fill=True),
                outcome,
            )
    keep(f"the first 20 bytes of a {format}", lambda make=make: make()[:20], BROKEN)


def _cut(data: bytes, share: float, *, fill: bool = False) -> bytes:
    at = int(len(data) * share)
    return data[:at] + bytes(len(data) - at) * fill


keep("png with a wrong checksum of its pixels", lambda: _flipped(EVERY_FORMAT["png"](), -14))
keep("png with a wrong checksum of its header", lambda: _flipped(EVERY_FORMAT["png"](), 30), BROKEN)
keep("png without its palette", lambda: _without_palette(), BROKEN)
keep("10% of a progressive jpeg", lambda: _cut(EVERY_FORMAT["progressive jpeg"](), 0.1), BROKEN)
keep("jpeg with the tables of motion JPEG", lambda: EVERY_FORMAT["jpeg"]().replace(b"\xff\xc4", b"\xff\xe5"))
keep("jpeg without quantisation", lambda: EVERY_FORMAT["jpeg"]().replace(b"\xff\xdb", b"\xff\xe5"), BROKEN)
keep("jpeg with an end in its middle", lambda: _cut(EVERY_FORMAT["jpeg"](), 0.4) + b"\xff\xd9", BROKEN)
keep("progressive jpeg with a broken scan", lambda: _broken_scan(EVERY_FORMAT["progressive jpeg"]()))
keep("jpeg of 300 scans", lambda: jpeg_bomb(300), BROKEN)


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x55
    return bytes(changed)


def _without_palette() -> bytes:
    data = by_hand(3, 8, False)
    at = data.index(b"PLTE") - 4
    return data[:at] + data[at + 12 + 768 :]


def _broken_scan(data: bytes) -> bytes:
    """The Huffman table of the last scan is not one."""
    at = data.rindex(b"\xff\xc4")
    return data[: at + 5] + b"\xff" * 16 + data[at + 21 :]


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
        keep(f"{percent}% of an animated {format.lower()}", lambda f=format, p=percent: _cut(_animation(f), p / 100))
    for number in (1, 3):
        keep(
            f"animated {format.lower()} with a bad frame {number}",
            lambda f=format, number=number: damaged_frame(_animation(f), f, number),
        )


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

# What is no picture
keep("an empty file", lambda: b"", EMPTY)
keep("a text", lambda: b"Dear diary", NONE)
keep("a page", lambda: PAGE, NONE)
for number, data in enumerate(OTHERS):
    keep(f"no picture {number}", lambda data=data: data, NONE)
for format in ("BMP", "TIFF", "PPM", "TGA", "JPEG2000", "ICO", "DIB", "PCX"):
    keep(f"a {format}", lambda format=format: encoded(scene(), format), OTHER)
