"""Uploads that are no photos, broken photos, or traps: strategies for property-based tests. None may be taken."""

import io
import struct
import zlib
from functools import cache

from hypothesis import strategies as st
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
PAGE = b"<!DOCTYPE html><html><body><script>alert(document.cookie)</script></body></html>"
DRAWING = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><text>%s</text></svg>'
OTHERS = (
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF",
    b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(60),
    b"MZ\x90\x00\x03" + bytes(200),
    b"\x7fELF\x02\x01\x01" + bytes(200),
    b"#!/bin/sh\nrm -rf ~\n",
    b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100),
    b"ID3\x03\x00\x00\x00\x00\x00\x21" + bytes(100),
    b"\x1f\x8b\x08\x00" + bytes(40),
)
STARTS = (
    b"GIF89a",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\x20\x00\x00\x00WEBPVP8 ",
    b"\x00\x00\x00\x18ftypavif",
)


@cache
def photo(format: str, width: int = 96, height: int = 64) -> bytes:
    """A photo that is good, and noisy enough to have most of its bytes in its pixels."""
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(buffer, format)
    return buffer.getvalue()


@cache
def other_picture(format: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("RGB").save(buffer, format)
    return buffer.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """Says to be that large, with next to nothing in it."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(bytes(100_000), 9)),
            (b"IEND", b""),
        )
    )


def gif_bomb(frame: tuple[int, int], dispose: int) -> bytes:
    """A small screen with a frame of any size, which Pillow makes room for while it opens the file."""
    screen = struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    control = b"\x21\xf9\x04" + bytes([dispose << 2]) + bytes(4)
    return b"GIF89a" + screen + control + b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00\x3b"


def jpeg_bomb(scans: int) -> bytes:
    """A progressive picture whose last scan is said over and over: each is worked through anew."""
    buffer = io.BytesIO()
    Image.effect_noise((96, 64), 60).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


# So much of the last two may be there: the others are taken with most of their rows, a GIF with every eighth of them.
truncated = st.one_of(
    st.builds(lambda format, share: photo(format)[: int(len(photo(format)) * share)], st.sampled_from(formats), shares)
    for formats, shares in (
        (("JPEG", "PNG", "WEBP"), st.floats(0.0, 0.4)),
        (("GIF",), st.floats(0.0, 0.12)),
        (("HEIF", "AVIF"), st.floats(0.0, 0.85)),
    )
)
huge = st.integers(10_100, 60_000)
bombs = st.one_of(
    st.builds(png_bomb, st.integers(7_100, 9_000), huge),
    st.builds(gif_bomb, st.tuples(huge, huge), st.integers(0, 3)),
    st.builds(jpeg_bomb, st.integers(101, 300)),
)
wrong_types = st.one_of(
    st.sampled_from(("BMP", "TIFF", "PPM", "ICO", "PDF", "TGA", "JPEG2000")).map(other_picture),
    st.sampled_from(OTHERS),
    st.binary(max_size=2_000),
    st.text(max_size=500).map(str.encode),
)
# Named .jpg by whoever sends them; what is named is never looked at.
markup = st.one_of(
    st.just(PAGE), st.binary(max_size=20).map(lambda text: DRAWING % text), st.binary().map(PAGE.__add__)
)
# Two things at once: begins as a picture and goes on as something else, or has a good picture behind something else.
polyglots = st.one_of(
    st.builds(bytes.__add__, st.sampled_from(STARTS), st.sampled_from((PAGE, *OTHERS))),
    st.builds(lambda other, format: other + photo(format), st.sampled_from((PAGE, *OTHERS)), st.sampled_from(FORMATS)),
)
hostile_files = st.one_of(truncated, bombs, wrong_types, markup, polyglots, st.just(b""))
