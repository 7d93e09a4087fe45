"""How large the frames of an AV1 stream may be, read from its headers (AV1 specification, sections 5.3 to 5.9)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from model.images.heif_boxes import Budget

SEQUENCE_HEADER, FRAME_HEADER, FRAME, REDUNDANT_FRAME_HEADER = 1, 3, 6, 7  # types of units
KEY, SWITCH = 0, 3  # types of frames
SELECT = 2  # each frame says it
MOST_HEADERS = 8  # different ones in one stream


@dataclass(frozen=True)
class SequenceHeader:
    """What the headers of a stream's frames are read with."""

    size: tuple[int, int]  # of frames that do not say one
    bits: tuple[int, int]  # in which others say theirs
    reduced: bool  # a still picture, whose frame cannot say a size
    time_bits: int
    id_bits: int
    screen_content: int
    integer_motion: int


class _Bits:
    """Reads whole numbers of so many bits."""

    def __init__(self, data: memoryview):
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def read(self, bits: int = 1) -> int:
        self._left -= bits
        if self._left < 0:
            raise ValueError("a header of its pictures is cut short")
        return self._value >> self._left & (1 << bits) - 1

    def skip_exp_golomb(self) -> None:
        zeros = 0
        while not self.read():
            zeros += 1
        self.read(min(zeros, 32))


def largest_frame(samples: Iterable[memoryview], budget: Budget) -> int:
    """Pixels that a frame of this stream has at most; 0 if there are none. Raises ValueError, TooManyParts."""
    headers: list[SequenceHeader] = []
    most = 0
    for sample in samples:
        for kind, content in _units(sample, budget):
            if kind == SEQUENCE_HEADER:
                header = _sequence_header(_Bits(content[:512]))
                most = max(most, prod(header.size))
                if header not in headers:
                    headers.append(header)
                if len(headers) > MOST_HEADERS:
                    raise ValueError("it has too many headers")
            elif kind in (FRAME_HEADER, FRAME, REDUNDANT_FRAME_HEADER):
                # Which header a decoder holds by now depends on what it skipped as damaged.
                own = (2 ** sum(header.bits) for header in headers if _says_size(header, _Bits(content[:64])))
                most = max(most, *own, 0)
    return most


def _units(sample: memoryview, budget: Budget) -> Iterator[tuple[int, memoryview]]:
    """Types and contents of the open bitstream units, up to one that is not whole."""
    position = 0
    while position < len(sample):
        budget.spend()
        head = sample[position]
        position += 2 if head & 4 else 1
        length = len(sample) - position
        if head & 2:
            length = shift = 0
            while True:
                if position >= len(sample) or shift > 56:
                    return
                byte = sample[position]
                length, shift, position = length | (byte & 127) << shift, shift + 7, position + 1
                if byte < 128:
                    break
        if length < 0 or length > len(sample) - position:
            return
        yield head >> 3 & 15, sample[position : position + length]
        position += length


def _sequence_header(bits: _Bits) -> SequenceHeader:
    bits.read(4)  # profile, still picture
    reduced = bool(bits.read())
    time_bits = id_bits = 0
    if reduced:
        bits.read(5)
    else:
        time_bits = _skip_operating_points(bits)
    lengths = bits.read(4) + 1, bits.read(4) + 1
    size = bits.read(lengths[0]) + 1, bits.read(lengths[1]) + 1
    if not reduced and bits.read():
        id_bits = bits.read(4) + 2
        id_bits += bits.read(3) + 1
    bits.read(3)
    screen_content = integer_motion = SELECT
    if not reduced:
        bits.read(4)
        if bits.read():
            bits.read(2)
        screen_content = SELECT if bits.read() else bits.read()
        if screen_content:
            integer_motion = SELECT if bits.read() else bits.read()
    return SequenceHeader(size, lengths, reduced, time_bits, id_bits, screen_content, integer_motion)


def _skip_operating_points(bits: _Bits) -> int:
    """Returns how many bits the time has that each shown frame says; 0 if they say none."""
    time_bits = delay_bits = 0
    if bits.read():
        bits.read(64)
        equal = bits.read()
        if equal:
            bits.skip_exp_golomb()
        if bits.read():
            delay_bits = bits.read(5) + 1
            bits.read(37)
            time_bits = bits.read(5) + 1
            time_bits = 0 if equal else time_bits
    has_delays = bits.read()
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read()
        if delay_bits and bits.read():
            bits.read(2 * delay_bits + 1)
        if has_delays and bits.read():
            bits.read(4)
    return time_bits


def _says_size(header: SequenceHeader, bits: _Bits) -> bool:
    """Whether a frame says a size of its own."""
    if header.reduced or bits.read():  # or it shows an earlier frame
        return False
    kind, shown = bits.read(2), bits.read()
    bits.read(header.time_bits if shown else 1)
    if not (kind == SWITCH or (kind == KEY and shown)):
        bits.read()
    bits.read()
    screen_content = bits.read() if header.screen_content == SELECT else header.screen_content
    if screen_content and header.integer_motion == SELECT:
        bits.read()
    bits.read(header.id_bits)
    return kind == SWITCH or bool(bits.read())
