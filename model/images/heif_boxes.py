"""What a HEIC or AVIF file says of its pictures: sizes, and where their data are (ISO 14496-12 and 23008-12).

Only what decoders follow is read. What they would refuse, or take in more than one way, is refused.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain

from model.images.picture_bytes import MOST_PARTS, TooManyParts

CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0}
DEEPEST = 8  # boxes inside each other; a sample table is the fifth
READ = {b"iloc", b"idat", b"iinf", b"ispe", b"a1lx", b"stsd", b"stsz", b"stsc", b"stco", b"co64"}
IN_FILE, IN_IDAT = 0, 1  # how an item's place is said


class Budget:
    """Counts parts of a file."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def spend(self, parts: int = 1) -> None:
        """Raises TooManyParts."""
        self._left -= parts
        if self._left < 0:
            raise TooManyParts


@dataclass
class Container:
    """The boxes of a kind in one `meta`, or in one sample table."""

    boxes: dict[bytes, list[memoryview]] = field(default_factory=lambda: defaultdict(list))

    def only(self, kind: bytes) -> memoryview:
        """The content of the box of this kind; empty if there is none. Raises ValueError if there are several."""
        found = self.boxes.get(kind, [memoryview(b"")])
        if len(found) > 1:
            raise ValueError(f"it has {len(found)} boxes {kind!r}")
        return found[0]


def containers(data: bytes, budget: Budget) -> list[Container]:
    """Those that describe pictures: each `meta` and each sample table. Raises TooManyParts."""
    found: list[Container] = []
    _walk(memoryview(data), Container(), found, budget, 0)
    return found


def _walk(data: memoryview, inside: Container, found: list[Container], budget: Budget, depth: int) -> None:
    for kind, content in _boxes(data, budget):
        if kind in CONTAINERS and depth < DEEPEST:
            own = inside
            if kind in (b"meta", b"stbl"):
                found.append(own := Container())
            _walk(content[CONTAINERS[kind] :], own, found, budget, depth + 1)
        elif kind in READ:
            inside.boxes[kind].append(content)


def _boxes(data: memoryview, budget: Budget) -> Iterator[tuple[bytes, memoryview]]:
    """Types and contents of the boxes in a row."""
    position = 0
    while position + 8 <= len(data):
        budget.spend()
        length, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, position + 8)[0], 16
        end = position + length if length else len(data)
        if end < position + head:
            raise ValueError("it has a box that is shorter than its header")
        yield kind, data[position + head : end]
        position = end


def sizes(meta: Container) -> Iterator[tuple[int, int]]:
    """Width and height of each picture as its properties say them."""
    for content in meta.boxes.get(b"ispe", []):
        yield struct.unpack_from(">II", content, 4)


def items(data: bytes, meta: Container, wanted: set[bytes], budget: Budget) -> Iterator[tuple[bytes, memoryview]]:
    """Types and data of the items of these types. Raises ValueError, struct.error, TooManyParts."""
    kinds = dict[int, set[bytes]]()
    for number, kind in _kinds(meta.only(b"iinf"), budget):
        kinds.setdefault(number, set()).add(kind)
    joined = 0
    for number, method, extents in _places(meta.only(b"iloc"), budget):
        for kind in kinds.get(number, set()) & wanted:
            if method not in (IN_FILE, IN_IDAT):
                raise ValueError("the place of a picture is said in a way that is not supported")
            source = memoryview(data) if method == IN_FILE else meta.only(b"idat")
            if len(extents) == 1:
                offset, length = extents[0]
                yield kind, source[offset : offset + length if length else len(source)]
                continue
            joined += sum(length for _, length in extents)
            if joined > 2 * len(data) or not all(length for _, length in extents):
                raise ValueError("a picture has odd parts")
            yield kind, memoryview(b"".join(source[offset : offset + length] for offset, length in extents))


def _kinds(content: memoryview, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """Numbers and types of items."""
    for kind, entry in _boxes(content[(6 if content[0] == 0 else 8) :], budget) if content else ():
        if kind == b"infe" and entry[0] in (2, 3):
            number, type = struct.unpack_from(">H2x4s" if entry[0] == 2 else ">I2x4s", entry, 4)
            yield number, type


def _places(content: memoryview, budget: Budget) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Numbers of items, how their places are said, and offsets and lengths of their parts."""
    position = 0

    def number(size: int) -> int:
        nonlocal position
        position += size
        if position > len(content):
            raise ValueError("it does not say where all pictures are")
        return int.from_bytes(content[position - size : position])

    if not content:
        return
    version, lengths = number(1), (number(3), number(2))[1]
    in_offset, in_length, in_base, in_index = (lengths >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else IN_FILE
        base = (number(2), number(in_base))[1]
        extents = []
        for _ in range(number(2)):
            budget.spend()
            number(in_index if version else 0)
            extents.append((base + number(in_offset), number(in_length)))
        budget.spend()
        yield item, method, extents


def layers(meta: Container) -> set[int]:
    """Where the layers of a layered picture may begin in its data, beside the beginning."""
    found = set[int]()
    for content in meta.boxes.get(b"a1lx", []):
        found |= set(accumulate(struct.unpack_from(">3I" if content[0] & 1 else ">3H", content, 1)))
    return found


def samples(data: bytes, table: Container, budget: Budget) -> Iterator[memoryview]:
    """The data of the frames of a track, in order. Raises ValueError, struct.error, TooManyParts."""
    wide, narrow, sized = table.only(b"co64"), table.only(b"stco"), table.only(b"stsz")
    runs = [*struct.iter_unpack(">III", table.only(b"stsc")[8:])]
    if [first for first, _, _ in runs] != sorted({first for first, _, _ in runs}):
        raise ValueError("the chunks of a track are not in order")
    chunks = chain(struct.iter_unpack(">I", narrow[8:]), struct.iter_unpack(">Q", wide[8:]))
    (same, count), number, run = struct.unpack_from(">II", sized, 4), 0, 0
    for chunk, (position,) in enumerate(chunks, 1):
        budget.spend()
        while run + 1 < len(runs) and runs[run + 1][0] <= chunk:
            run += 1
        for _ in range(runs[run][1]):
            budget.spend()
            if number == count:
                return
            length = same or struct.unpack_from(">I", sized, 12 + 4 * number)[0]
            yield memoryview(data)[position : position + length]
            position, number = position + length, number + 1
