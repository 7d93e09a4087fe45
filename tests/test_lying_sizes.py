"""Files whose boxes say that their picture is smaller than what is decoded of them: that is what counts."""

import io
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bots.errors import PhotoTooLarge
from bots.service.photo_check import check_photo
from model.errors import TooManyPixels, UnreadablePhoto
from model.images.decoding_room import DECODING
from model.images.heif_sizes import decoded_pixels
from tests.support.heif_parts import Item, box, coded_item, grid, heif, ispe, shrunk_sequence
from tests.support.opening import decoded
from tests.support.picture_parts import animation, encoded, png_chunk, riff, riff_chunks, with_jpeg_segment

SMALL, LARGE = (64, 64), (512, 384)
LIMIT = 100_000  # pixels; SMALL has fewer, LARGE has more
TILES = (2, 3, 4, 5)


def overlay(size: tuple[int, int], said: tuple[int, int]) -> Item:
    """A canvas of a size, with the second item on it."""
    places = struct.pack(">BBHHHHIIii", 0, 1, 0, 0, 0, 65535, *size, 0, 0)
    return Item(b"iovl", places, (ispe(*said),), (2,))


def tiles(format: str, tile: Item, said: tuple[int, int] = (128, 128), *, parts: int = 1) -> bytes:
    return heif(format, [grid((128, 128), said, 2, 2, TILES), *4 * [tile]], parts=parts)


def frames(size: tuple[int, int], shown: int = 0) -> bytes:
    """Three, of which one shows something."""
    pictures = [Image.new("L", size, 90) for _ in range(3)]
    pictures[shown] = Image.linear_gradient("L").resize(size)
    return animation([picture.convert("RGB") for picture in pictures], "AVIF", speed=10)


def layered(item: Item, begin: int) -> Item:
    """The data behind something that a decoder never sees, which begins with the layer behind it."""
    hidden = b"\x7a" + bytes([begin - 2]) + bytes(begin - 2)  # padding
    return Item(item.kind, hidden + item.data, (*item.properties, box(b"a1lx", struct.pack(">B3H", 0, begin, 0, 0))))


def wide_infe(data: bytes) -> bytes:
    """The box that says an item's type has a length of 64 bits, which few write."""
    at = data.index(b"infe") - 4
    length = int.from_bytes(data[at : at + 4])
    wide = struct.pack(">I4sQ", 1, b"infe", length + 8) + data[at + 8 : at + length]
    grown = data[:at] + wide + data[at + length :]
    for kind in (b"iinf", b"meta"):
        place = grown.index(kind) - 4
        grown = grown[:place] + struct.pack(">I", int.from_bytes(grown[place : place + 4]) + 8) + grown[place + 4 :]
    place = grown.index(b"iloc") + 8 + 2 + 2 + 2 + 2  # of the first extent's offset
    (offset,) = struct.unpack_from(">I", grown, place + 2)
    return grown[: place + 2] + struct.pack(">I", offset + 8) + grown[place + 6 :]


av1, hevc = coded_item("AVIF", LARGE, SMALL), coded_item("HEIF", LARGE, SMALL)
honest_av1, honest_hevc = coded_item("AVIF", SMALL, SMALL), coded_item("HEIF", SMALL, SMALL)
LIES = {
    "avif": lambda: heif("AVIF", [av1]),
    "avif in three parts": lambda: heif("AVIF", [av1], parts=3),
    "avif of tiles": lambda: tiles("AVIF", av1),
    "avif of tiles in parts": lambda: tiles("AVIF", av1, parts=2),
    "avif with its type in a wide box": lambda: wide_infe(heif("AVIF", [av1])),
    "avif with a second layer": lambda: heif("AVIF", [layered(av1, 40)]),
    "animated avif": lambda: shrunk_sequence(frames(LARGE), LARGE, SMALL),
    "heic of large tiles": lambda: heif("HEIF", [grid(SMALL, SMALL, 1, 1, (2,)), coded_item("HEIF", LARGE, LARGE)]),
    "heic with a canvas": lambda: heif("HEIF", [overlay(LARGE, SMALL), honest_hevc]),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_decoded_counts_and_not_what_the_file_says(name):
    data = LIES[name]()
    assert Image.open(io.BytesIO(data)).size in (SMALL, (128, 128))
    with pytest.raises(TooManyPixels, match=r"the limit is 0\.1 million"):
        decoded(data, max_pixels=LIMIT)
    with pytest.raises(PhotoTooLarge):
        check_photo(data, max_pixels=LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        *(heif("HEIF", [hevc]), tiles("HEIF", hevc), heif("HEIF", [hevc], parts=3)),
        *(tiles(format, honest, SMALL) for format, honest in (("HEIF", honest_hevc),)),
    ],
)
def test_libheif_refuses_what_is_larger_than_its_boxes_say(data):
    with pytest.raises(UnreadablePhoto):
        decoded(data, max_pixels=LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        *(heif("AVIF", [honest_av1]), heif("AVIF", [honest_av1], parts=3), tiles("AVIF", honest_av1)),
        *(heif("HEIF", [honest_hevc]), heif("HEIF", [honest_hevc], parts=3), tiles("HEIF", honest_hevc)),
        *(heif("HEIF", [overlay(SMALL, SMALL), honest_hevc]), wide_infe(heif("AVIF", [honest_av1])), frames(SMALL)),
        heif("AVIF", [layered(honest_av1, 40)]),
    ],
)
def test_who_says_the_truth_is_read(data):
    assert decoded(data, max_pixels=128 * 128).size in (SMALL, (128, 128))


def test_streams_that_are_too_many_together_are_refused():
    """Each tile fits, but all of them are in memory at the same time."""
    with pytest.raises(TooManyPixels, match=r"0\.2 million"):
        decoded(tiles("AVIF", coded_item("AVIF", (224, 224), SMALL)), max_pixels=80_000)


def test_a_picture_waits_for_room_for_what_is_decoded(monkeypatch):
    monkeypatch.setattr(DECODING, "limit", 512 * 384)
    with ThreadPoolExecutor() as threads, DECODING.take(64 * 64 + 1):
        waits = threads.submit(check_photo, heif("AVIF", [av1]))
        pause = threading.Event()
        while not DECODING.waiting and not waits.done():
            pause.wait(0.002)
        assert not waits.done()
    assert waits.result(60)


def test_of_an_animation_whose_frames_are_large_few_are_decoded():
    """Only as many as have the pixels of one picture, here one or all of them."""
    data = shrunk_sequence(frames(LARGE, shown=2), LARGE, SMALL)
    plain, gradient = (decoded(data, max_pixels=count * 512 * 384).convert("L").getextrema() for count in (1, 3))
    assert plain[1] - plain[0] < 20
    assert gradient[1] - gradient[0] > 100


def canvas() -> bytes:
    return b"".join(struct.pack("<I", side - 1)[:3] for side in SMALL)


def webp(*, animated: bool) -> bytes:
    ((kind, content),) = riff_chunks(encoded(Image.new("RGB", LARGE), "WEBP"))
    frame = bytes(6) + canvas() + struct.pack("<I", 100) + kind + struct.pack("<I", len(content)) + content
    parts = [(b"ANIM", bytes(6)), (b"ANMF", frame)] if animated else [(kind, content)]
    return riff([(b"VP8X", bytes([2 * animated, 0, 0, 0]) + canvas()), *parts])


def png(*, animated: bool) -> bytes:
    """Two headers. In the animation the second one allows a frame that is larger than the first."""
    large = encoded(Image.new("RGB", LARGE), "PNG")
    if not animated:
        return encoded(Image.new("RGB", SMALL), "PNG")[:33] + large[8:]
    whole = animation([Image.new("RGB", SMALL, colour) for colour in ("red", "green")], "PNG")
    at = whole.index(b"fcTL", whole.index(b"IDAT")) - 4
    control = png_chunk(b"fcTL", struct.pack(">5I", 1, *LARGE, 0, 0) + bytes(6))
    return whole[:at] + large[8:33] + control + whole[at + 38 :]


def jpeg() -> bytes:
    small, large = (encoded(Image.new("RGB", size), "JPEG") for size in (SMALL, LARGE))
    at = small.index(b"\xff\xc0")
    return with_jpeg_segment(large, small[at : at + 19])


@pytest.mark.parametrize(
    "data",
    [webp(animated=False), webp(animated=True), png(animated=False), png(animated=True), jpeg()],
    ids=["webp", "animated webp", "png", "animated png", "jpeg"],
)
def test_other_formats_are_refused_or_read_at_the_size_that_counted(data):
    with suppress(UnreadablePhoto):
        assert decoded(data, draft=1000, max_pixels=LIMIT).size == SMALL


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from([*LIES]), st.integers(0, 2**16), st.integers(0, 255), st.booleans())
def test_a_damaged_file_ends_in_a_size_or_an_error(name, at, value, cut):
    data = bytearray(LIES[name]())
    at %= len(data)
    data[at] = value
    with suppress(ValueError, struct.error, IndexError):
        assert decoded_pixels(bytes(data[:at] if cut else data))[0] > 0
