"""The chunks of a WebP that its pixels are decoded from (RFC 9649).

libwebp decodes nothing of a file that is cut, so what is missing of the picture is filled with zeros. An animation is
left without the frames that are not whole.
"""

import struct
from typing import Any

from model.images.picture_bytes import MOST_PARTS, PictureBytes, TooManyParts

PICTURE = (b"VP8 ", b"VP8L")
MISSING_ZEROS = 256  # bytes at the end of compressed pixels, which then are what fills a file that came in part
SPARE_ZEROS = 4096
METADATA_FLAGS = 0x20 | 0x08 | 0x04  # of VP8X: there is a colour profile, EXIF, XMP


def webp_picture(data: bytes) -> PictureBytes:
    """The chunks that are needed. `share` says how much of a still picture is there, if it was cut.

    Raises:
        TooManyParts
    """
    kept, metadata = list[bytes](), dict[str, Any]()
    share, still, position, parts = 1.0, False, 12, 0
    while position + 8 <= len(data):
        if (parts := parts + 1) > MOST_PARTS:
            raise TooManyParts
        kind, length = struct.unpack_from("<4sI", data, position)
        content = data[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)
        missing = length - len(content)
        if kind == b"VP8X" and length >= 10:
            kept.append(_chunk(kind, bytes([content[0] & ~METADATA_FLAGS]) + content[1:]))
        elif kind in PICTURE and not still:
            still = True
            if content.endswith(bytes(MISSING_ZEROS)):
                content = content.rstrip(b"\0")
            if missing := length - len(content):
                share = _share(kind, content, length)
                # One of which more than half is missing is refused anyway. Zeros may decode to more bits than what
                # was there, and libwebp refuses a picture whose decoder runs out of bytes.
                content += bytes(min(missing, len(content)) + SPARE_ZEROS)
            kept.append(_chunk(kind, content))
        elif kind in (b"ANIM", b"ANMF", b"ALPH") and not missing and not still:
            kept.append(_chunk(kind, content))
        elif kind == b"EXIF" and not missing:
            metadata.setdefault("exif", content)
        elif kind == b"XMP " and not missing:
            metadata.setdefault("xmp", content)
    chunks = b"WEBP" + b"".join(kept)
    return PictureBytes(b"RIFF" + struct.pack("<I", len(chunks)) + chunks, metadata, share=share)


def without_first_frame(data: bytes) -> bytes:
    """An animation, as `webp_picture` returns it, without its first frame."""
    at = data.index(b"ANMF")
    length = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    rest = data[8:at] + data[at + length + (length & 1) :]
    return b"RIFF" + struct.pack("<I", len(rest)) + rest


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)


def _share(kind: bytes, content: bytes, length: int) -> float:
    """How much of the pixels is there. Lossy pictures begin with a part about all blocks, before their coefficients."""
    head = 10 + (int.from_bytes(content[:3], "little") >> 5) if kind == b"VP8 " else 0
    return max(0.0, len(content) - head) / max(1, length - head)
