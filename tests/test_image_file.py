"""Which files are opened as images, and that uploads and the command line agree on them."""

import io
import struct
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bots.service.photo_check import check_photo
from model.errors import FileTooLarge, OtherFormat, TooManyPixels, UnreadablePhoto
from model.images.gif_frames import frame_sizes
from model.preprocessing import read_photo
from tests.support.hostile_files import FORMATS, gif_bomb, hostile_files, jpeg_bomb, photo, png_bomb
from tests.support.opening import accepted, decoded
from tests.support.picture_parts import (
    encoded,
)

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


@pytest.mark.parametrize("format", FORMATS)
def test_uploads_and_the_command_line_accept_the_same_formats(format):
    assert accepted(check_photo, photo(format))
    assert accepted(read_photo, photo(format))


@settings(max_examples=200, deadline=None, database=None)
@given(hostile_files)
def test_uploads_and_the_command_line_refuse_the_same_files(data):
    assert not accepted(check_photo, data)
    assert not accepted(read_photo, data)


@pytest.mark.parametrize("bomb", [png_bomb(9_000, 9_000), png_bomb(60_000, 60_000), gif_bomb((9_000, 9_000), 0)])
def test_the_limit_of_pixels_is_that_of_the_call(bomb):
    """One process may serve uploads with a limit of its own and read photos with another."""
    for limit in (50_000_000, 10_000):
        with pytest.raises(TooManyPixels, match=rf"the limit is {limit / 1e6:.1f} million"):
            decoded(bomb, max_pixels=limit)
    assert decoded(photo("PNG"), max_pixels=96 * 64).size == (96, 64)


def test_the_limit_of_bytes_is_that_of_the_call():
    data = photo("PNG")
    assert decoded(data, max_bytes=len(data)).size == (96, 64)
    with pytest.raises(FileTooLarge):
        decoded(data, max_bytes=len(data) - 1)


def test_a_jpeg_of_endless_scans_is_refused_everywhere():
    with pytest.raises(UnreadablePhoto, match="too many scans"):
        read_photo(jpeg_bomb(200))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_is_no_reason_to_refuse_a_photo():
    data = encoded(Image.new("RGB", (64, 32)), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read_photo(data).shape == (224, 224, 3)


def test_sixteen_bits_with_a_transparent_colour_are_read():
    grey = Image.new("I;16", (40, 30), 50_000)
    assert decoded(encoded(grey, "PNG", transparency=50_000)).getpixel((5, 5)) == 195


def test_an_icon_is_named_but_not_opened():
    with pytest.raises(OtherFormat, match="ICO pictures are not supported"):
        decoded(b"\0\0\1\0")


def test_frames_of_a_gif_that_grow_too_large_are_left_out():
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("black", "red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)
    assert [*frame_sizes(data)] == [(30, 20)] * 3
    at = data.rindex(b"\x2c\0\0\0\0" + struct.pack("<HH", 30, 20))
    grown = data[: at + 5] + struct.pack("<HH", 60_000, 60_000) + data[at + 9 :]
    assert [*frame_sizes(grown)] == [(30, 20), (30, 20), (60_000, 60_000)]
    assert decoded(grown).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


PIXELS = b"\x02\x02\x44\x01\x00"  # compressed; too few for most frames, which Pillow notices only when it loads them
some_blocks = st.lists(st.binary(min_size=1, max_size=5), max_size=3).map(
    lambda blocks: b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
)
gif_parts = st.one_of(
    st.builds(
        lambda left, top, width, height, flags, pixels: (
            b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags) + bytes(6 * (flags >> 7)) + pixels
        ),
        *[st.integers(0, 8)] * 2,
        *[st.integers(1, 30)] * 2,
        st.sampled_from((0, 0x40, 0x80)),
        st.one_of(st.just(PIXELS), some_blocks.map(b"\x02".__add__)),
    ),
    st.builds(
        lambda label, blocks: b"!" + bytes([label]) + blocks, st.sampled_from((0xF9, 0xFE, 0xFF, 1)), some_blocks
    ),
    some_blocks.map(b"!\xff\x0bNETSCAPE2.0".__add__),
    st.builds(lambda dispose: b"!\xf9\x04" + bytes([dispose << 2]) + bytes(4), st.integers(0, 3)),
    st.binary(max_size=3),
)


@settings(max_examples=500, deadline=None, database=None)
@given(st.lists(gif_parts, max_size=8), st.integers(0, 20))
def test_frames_of_a_gif_are_those_that_pillow_finds(parts, cut):
    data = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + bytes(6) + b"".join(parts)
    data = data[: max(19, len(data) - cut)]
    found = []
    try:
        image = Image.open(io.BytesIO(data), formats=["GIF"])
        found.append(image.size)
        while True:
            image.seek(len(found))
            found.append(image.size)
    except Exception:  # whatever damaged data makes it raise
        assert [*islice(frame_sizes(data), len(found))] == found


def test_importing_the_opener_loads_no_network_and_no_numpy():
    heavy = "('numpy', 'torch', 'openvino')"
    code = f"import sys, model.images.image_file; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}
    )
    assert run.stdout == "[]\n"
