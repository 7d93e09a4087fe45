"""The chunks of a PNG that its pixels are decoded from (PNG specification, third edition, with animations).

Texts, colour profiles and whatever else is ancillary are left out, and so is every other ancillary chunk whose checksum
is wrong: a decoder is free to ignore them, but Pillow refuses the file.
"""

import struct
import zlib
from typing import Any

from model.images.picture_bytes import MOST_PARTS, PictureBytes, TooManyParts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}  # colour type -> of the tRNS chunk at least
PALETTE = 3  # colour type
TEXTS = {b"Raw profile type exif": "Raw profile type exif", b"XML:com.adobe.xmp": "xmp"}  # that hold the orientation
MAX_TEXT = 1_000_000  # bytes, unfolded


def png_picture(data: bytes) -> PictureBytes:
    """The chunks that are needed, up to the end of the picture or of the file. Raises TooManyParts."""
    kept, metadata = [SIGNATURE], dict[str, Any]()
    size, colours = (0, 0), 0
    frame, sequence = True, 0  # whether the last frame's control chunk was good; numbers of the chunks of frames
    position, parts = len(SIGNATURE), 0
    while position + 8 <= len(data):
        if (parts := parts + 1) > MOST_PARTS:
            raise TooManyParts
        length, kind = struct.unpack_from(">I4s", data, position)
        if not kind.isalpha():  # the rest is no PNG
            break
        start, position = position, position + 12 + length
        content, checksum = data[start + 8 : start + 8 + length], data[position - 4 : position]
        if kind == b"IHDR" and length >= 13:
            size, colours = struct.unpack_from(">II", content), content[9]
        if kind in (b"IHDR", b"IDAT", b"IEND") or (kind == b"PLTE" and colours == PALETTE):
            kept.append(data[start:position])
            if kind == b"IEND":
                break
        elif kind == b"fdAT":
            if frame and length >= 4:
                kept.append(_numbered(kind, sequence, content))
                sequence += 1
        elif checksum != struct.pack(">I", zlib.crc32(kind + content)):
            frame = frame and kind != b"fcTL"
        elif kind == b"fcTL":
            if frame := _inside(content, size):
                kept.append(_numbered(kind, sequence, content))
                sequence += 1
        elif (kind == b"acTL" and length >= 8) or (kind == b"tRNS" and length >= TRANSPARENCY_BYTES.get(colours, 0)):
            kept.append(data[start:position])
        elif kind == b"eXIf":
            metadata["exif"] = b"Exif\0\0" + content
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, _, rest = content.partition(b"\0")
            if (name := TEXTS.get(keyword)) and name not in metadata:
                metadata[name] = _text(kind, rest, name)
    return PictureBytes(b"".join(kept), {name: value for name, value in metadata.items() if value})


def _inside(control: bytes, size: tuple[int, int]) -> bool:
    """Whether a frame lies inside the picture."""
    if len(control) < 26:
        return False
    width, height, left, top = struct.unpack_from(">4I", control, 4)
    return width > 0 and height > 0 and left + width <= size[0] and top + height <= size[1]


def _numbered(kind: bytes, sequence: int, content: bytes) -> bytes:
    """A chunk with the number that follows when damaged ones are left out."""
    content = struct.pack(">I", sequence) + content[4:]
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _text(kind: bytes, rest: bytes, name: str) -> bytes | str:
    """The text of a chunk in which the keyword was found; empty if it cannot be read, or is too long to be needed."""
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\x01", rest[2:].split(b"\0", 2)[-1]
    elif packed:
        rest = rest[1:]
    if packed:
        unfolding = zlib.decompressobj()
        try:
            rest = unfolding.decompress(rest, MAX_TEXT)
        except zlib.error:
            return b""
        if unfolding.unconsumed_tail:
            return b""
    return rest if name == "xmp" else rest.decode("latin-1")
