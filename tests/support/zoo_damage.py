"""Pictures of the zoo with damage, and files that are no pictures."""

from tests.support.hostile_files import OTHERS, PAGE, jpeg_bomb
from tests.support.picture_parts import (
    encoded,
)
from tests.support.zoo_scene import BROKEN, EMPTY, EVERY_FORMAT, NONE, OTHER, PART, WHOLE, by_hand, cut, keep, scene

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
        keep(f"{percent}% of a {format}", lambda make=make, share=percent / 100: cut(make(), share), outcome)
        if format not in ("heic", "avif"):
            keep(
                f"{percent}% of a {format}, then zeros",
                lambda make=make, share=percent / 100: cut(make(), share, fill=True),
                outcome,
            )
    keep(f"the first 20 bytes of a {format}", lambda make=make: make()[:20], BROKEN)


keep("png with a wrong checksum of its pixels", lambda: _flipped(EVERY_FORMAT["png"](), -14))
keep("png with a wrong checksum of its header", lambda: _flipped(EVERY_FORMAT["png"](), 30), BROKEN)
keep("png without its palette", lambda: _without_palette(), BROKEN)
keep("10% of a progressive jpeg", lambda: cut(EVERY_FORMAT["progressive jpeg"](), 0.1), BROKEN)
keep("jpeg with the tables of motion JPEG", lambda: EVERY_FORMAT["jpeg"]().replace(b"\xff\xc4", b"\xff\xe5"))
keep("jpeg without quantisation", lambda: EVERY_FORMAT["jpeg"]().replace(b"\xff\xdb", b"\xff\xe5"), BROKEN)
keep("jpeg with an end in its middle", lambda: cut(EVERY_FORMAT["jpeg"](), 0.4) + b"\xff\xd9", BROKEN)
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


# What is no picture
keep("an empty file", lambda: b"", EMPTY)
keep("a text", lambda: b"Dear diary", NONE)
keep("a page", lambda: PAGE, NONE)
for number, data in enumerate(OTHERS):
    keep(f"no picture {number}", lambda data=data: data, NONE)
for format in ("BMP", "TIFF", "PPM", "TGA", "JPEG2000", "ICO", "DIB", "PCX"):
    keep(f"a {format}", lambda format=format: encoded(scene(), format), OTHER)
