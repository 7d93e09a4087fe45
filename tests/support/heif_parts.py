"""HEIC and AVIF files put together by hand, whose boxes may say anything about the pictures inside (ISO 23008-12)."""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import pillow_heif
from PIL import Image

from tests.support.picture_parts import encoded

pillow_heif.register_heif_opener()  # to write HEIC
CODED = {"HEIF": (b"hvc1", b"hvcC"), "AVIF": (b"av01", b"av1C")}  # type of an item, and of how it is decoded


def box(kind: bytes, *content: bytes, version: int | None = None) -> bytes:
    body = (b"" if version is None else bytes([version, 0, 0, 0])) + b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def ispe(width: int, height: int) -> bytes:
    """The property that says how large a picture is."""
    return box(b"ispe", struct.pack(">II", width, height), version=0)


@dataclass(frozen=True)
class Item:
    kind: bytes
    data: bytes
    properties: tuple[bytes, ...]
    made_of: Sequence[int] = ()  # the numbers of the tiles of a grid


def coded_item(format: str, size: tuple[int, int], said: tuple[int, int], *more: bytes) -> Item:
    """A plain picture of one size whose boxes say another."""
    kind, configuration = CODED[format]
    quick = {"speed": 10} if format == "AVIF" else {}
    data = encoded(Image.new("RGB", size, (40, 90, 160)), format, quality=20, **quick)
    at = data.index(configuration) - 4
    properties = ispe(*said), data[at : at + int.from_bytes(data[at : at + 4])], *more
    return Item(kind, data[data.rindex(b"mdat") + 4 :], properties)


def grid(size: tuple[int, int], said: tuple[int, int], columns: int, rows: int, tiles: Sequence[int]) -> Item:
    """A picture that is made of tiles."""
    return Item(b"grid", struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size), (ispe(*said),), tiles)


def heif(format: str, items: list[Item], *, parts: int = 1) -> bytes:
    """A file of these items, numbered from 1; the first is the picture.

    parts: into which the data of each item are split.
    """
    brand = b"avif" if format == "AVIF" else b"heic"
    properties = [*dict.fromkeys(part for item in items for part in item.properties)]
    essential = {b"av1C": 0x80, b"hvcC": 0x80}
    owned = [[1 + properties.index(part) | essential.get(part[4:8], 0) for part in item.properties] for item in items]
    shares = [_split(item.data, parts) for item in items]
    kinds = [
        box(b"infe", struct.pack(">HH4sx", number, 0, item.kind), version=2) for number, item in enumerate(items, 1)
    ]
    links = [
        box(b"dimg", struct.pack(f">HH{len(item.made_of)}H", number, len(item.made_of), *item.made_of))
        for number, item in enumerate(items, 1)
        if item.made_of
    ]
    associated = b"".join(struct.pack(">HB", number, len(own)) + bytes(own) for number, own in enumerate(owned, 1))

    def meta(start: int) -> bytes:
        places = b""
        for number, share in enumerate(shares, 1):
            places += struct.pack(">HHH", number, 0, len(share))
            for part in share:
                places += struct.pack(">II", start, len(part))
                start += len(part)
        return box(
            b"meta",
            box(b"hdlr", bytes(4), b"pict", bytes(13), version=0),
            box(b"pitm", struct.pack(">H", 1), version=0),
            box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places, version=0),
            box(b"iinf", struct.pack(">H", len(items)), *kinds, version=0),
            *([box(b"iref", *links, version=0)] if links else []),
            box(
                b"iprp",
                box(b"ipco", *properties),
                box(b"ipma", struct.pack(">I", len(items)), associated, version=0),
            ),
            version=0,
        )

    head = box(b"ftyp", brand, bytes(4), brand, b"mif1", b"miaf")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", *(part for share in shares for part in share))


def _split(data: bytes, parts: int) -> list[bytes]:
    length = -(-len(data) // parts)
    return [data[at : at + length] for at in range(0, len(data), length)]


def shrunk_sequence(data: bytes, size: tuple[int, int], said: tuple[int, int]) -> bytes:
    """An animated AVIF whose boxes say that its frames are of another size."""
    pairs = [struct.pack(">II", *one) for one in (size, said)]
    data = data.replace(b"ispe" + bytes(4) + pairs[0], b"ispe" + bytes(4) + pairs[1])
    tracks = [struct.pack(">II", width << 16, height << 16) for width, height in (size, said)]
    data = data.replace(*tracks)
    samples = [struct.pack(">HH", *one) for one in (size, said)]
    return re.sub(rb"(av01.{24})" + re.escape(samples[0]), lambda found: found[1] + samples[1], data, flags=re.DOTALL)
