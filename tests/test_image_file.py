"""Which files are opened as images, and that uploads and the command line agree on them."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from bots.errors import UserError
from bots.service.photo_check import check_photo
from model.errors import FileTooLarge, OtherFormat, TooManyPixels, UnreadablePhoto
from model.images.gif_frames import frame_sizes
from model.images.image_file import decode_image
from model.preprocessing import read_photo
from tests.support.hostile_files import FORMATS, gif_bomb, hostile_files, jpeg_bomb, photo, png_bomb
from tests.support.picture_parts import (
    TRAILER,
    animation,
    damaged_frame,
    encoded,
    jpeg_segment,
    png_chunk,
    with_jpeg_segment,
    with_png_chunk,
)

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def accepted(read, data: bytes) -> bool:
    try:
        read(data)
    except (UserError, UnreadablePhoto):
        return False
    return True


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
            decode_image(bomb, draft=100, max_pixels=limit)
    assert decode_image(photo("PNG"), draft=100, max_pixels=96 * 64).pixels.size == (96, 64)


def test_the_limit_of_bytes_is_that_of_the_call():
    data = photo("PNG")
    assert decode_image(data, draft=100, max_bytes=len(data)).pixels.size == (96, 64)
    with pytest.raises(FileTooLarge):
        decode_image(data, draft=100, max_bytes=len(data) - 1)


def test_a_jpeg_of_endless_scans_is_refused_everywhere():
    with pytest.raises(UnreadablePhoto, match="too many scans"):
        read_photo(jpeg_bomb(200))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_is_no_reason_to_refuse_a_photo():
    data = encoded(Image.new("RGB", (64, 32)), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read_photo(data).shape == (224, 224, 3)


def test_sixteen_bits_with_a_transparent_colour_are_read():
    grey = Image.new("I;16", (40, 30), 50_000)
    assert decode_image(encoded(grey, "PNG", transparency=50_000), draft=100).pixels.getpixel((5, 5)) == 195


def test_an_icon_is_named_but_not_opened():
    with pytest.raises(OtherFormat, match="ICO pictures are not supported"):
        decode_image(b"\0\0\1\0", draft=100)


def test_frames_of_a_gif_that_grow_too_large_are_left_out():
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("black", "red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)
    assert [*frame_sizes(data)] == [(30, 20)] * 3
    at = data.rindex(b"\x2c\0\0\0\0" + struct.pack("<HH", 30, 20))
    grown = data[: at + 5] + struct.pack("<HH", 60_000, 60_000) + data[at + 9 :]
    assert [*frame_sizes(grown)] == [(30, 20), (30, 20), (60_000, 60_000)]
    assert decode_image(grown, draft=100).pixels.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


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


def scene(size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture that no two rows of are alike: noise over a gradient, and red at the top left."""
    gradient = Image.linear_gradient("L").resize(size)
    noise = Image.effect_noise(size, 40)
    picture = Image.merge("RGB", (gradient, ImageChops.invert(gradient), noise))
    picture.paste((230, 20, 20), (0, 0, size[0] // 4, size[1] // 4))
    return picture


def both(data: bytes) -> tuple[Image.Image, Image.Image]:
    """What uploads and the command line make of a file."""
    return Image.open(io.BytesIO(check_photo(data).jpeg)), Image.fromarray(read_photo(data))


def is_red(image: Image.Image) -> bool:
    red, green, blue = image.convert("RGB").resize((8, 8), Image.Resampling.BOX).getpixel((0, 0))
    return red > 180 and green < 70 and blue < 70


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("behind", [b"\xff\xda\x00" * 300, TRAILER * 20, photo("JPEG"), bytes(5_000)])
@pytest.mark.parametrize("end", [b"\xff\xd9", b""])
def test_what_lies_behind_a_jpeg_refuses_no_picture(behind, end, progressive):
    """A motion photo's video, scans without a picture, a second picture, zeros; and any of it for the end marker."""
    whole = encoded(scene(), "JPEG", progressive=progressive)
    upload, array = both(whole[:-2] + end + behind)
    assert upload.size == (320, 240)
    assert np.array_equal(np.asarray(array), read_photo(whole))


def test_scans_in_the_metadata_of_a_jpeg_are_not_counted():
    data = with_jpeg_segment(photo("JPEG"), jpeg_segment(0xE1, b"Maker\0" + b"\xff\xda\x00" * 300))
    assert accepted(check_photo, data)
    assert accepted(read_photo, data)


@pytest.mark.parametrize(
    ("format", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {"interlace": 0}), ("WEBP", {})],
)
def test_a_picture_that_lacks_its_end_is_read(format, options):
    data = encoded(scene(), format, **options)
    for upload in both(data[:-2]):
        assert is_red(upload)


@pytest.mark.parametrize("options", [{}, {"quality": 20}, {"lossless": True}])
def test_a_webp_that_lacks_a_few_bytes_is_read_whatever_they_were(options):
    """Whether what is there and zeros decode to the end depends on the picture, so there are many."""
    for _ in range(20):
        data = encoded(scene((80, 60)), "WEBP", **options)
        for missing in (1, 2, 3, 10, 30):
            assert accepted(read_photo, data[:-missing])


@pytest.mark.parametrize(
    ("format", "options"),
    [
        *[("JPEG", {}), ("JPEG", {"subsampling": 0, "quality": 95}), ("PNG", {}), ("GIF", {"interlace": 0})],
        *[("WEBP", {}), ("WEBP", {"lossless": True})],
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_needs_half_of_its_rows(format, options, mode):
    data = encoded(scene().convert(mode), format, **options)
    rows = []
    for percent in range(20, 100, 5):
        part = data[: len(data) * percent // 100]
        assert accepted(check_photo, part) == accepted(read_photo, part), percent
        if accepted(check_photo, part):
            image = decode_image(part, draft=1000).pixels
            rows.append(image.height)
            assert is_red(image) == (mode == "RGB")
    assert 120 <= rows[0] < 170
    assert rows == sorted(rows)
    assert rows[-1] > 190


def test_a_picture_that_lacks_half_of_its_rows_says_how_many_there_are():
    data = photo("PNG")
    with pytest.raises(UnreadablePhoto, match=r"broken or cut short \(only \d\d% of its rows are there\)"):
        read_photo(data[: len(data) // 3])


def test_a_jpeg_that_was_cut_and_given_an_end_is_judged_by_its_rows():
    data = encoded(scene(), "JPEG")
    for share, good in ((0.3, False), (0.8, True)):
        part = data[: int(len(data) * share)] + b"\xff\xd9"
        assert accepted(check_photo, part) == accepted(read_photo, part) == good


def test_middle_grey_is_not_taken_for_missing_rows():
    grey = Image.new("RGB", (320, 240), (128, 128, 128))
    for options in ({}, {"progressive": True}):
        assert decode_image(encoded(grey, "JPEG", **options), draft=1000).pixels.size == (320, 240)


def test_missing_pixels_of_an_interlaced_picture_are_interpolated():
    smooth = Image.radial_gradient("L").resize((320, 240))
    data = encoded(smooth, "GIF")
    part = decode_image(data[: len(data) * 6 // 10], draft=1000).pixels.convert("L")
    difference = ImageChops.difference(part, smooth.crop((0, 0, *part.size)))
    assert ImageStat.Stat(difference).mean[0] < 6


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000))),
        png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(3_000_000))),
        png_chunk(b"iCCP", b"profile\0\7what is this"),
        png_chunk(b"tEXt", b"Comment\0of Ann", checksum=1),
        png_chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"1\n" * 2_000_000)),
        png_chunk(b"pHYs", b"1"),
        png_chunk(b"gAMA", b""),
        png_chunk(b"tRNS", b"\0"),
        png_chunk(b"acTL", b"\0"),
        png_chunk(b"fcTL", b"\0\0\0\7" + b"\xff" * 22),
    ],
    ids=lambda chunk: chunk[4:8].decode(),
)
def test_a_png_needs_no_chunk_beside_its_pixels(chunk):
    data = encoded(scene(), "PNG")
    assert np.array_equal(read_photo(with_png_chunk(data, chunk)), read_photo(data))
    assert np.array_equal(read_photo(with_png_chunk(data, chunk, before=b"IEND")), read_photo(data))
    assert accepted(check_photo, with_png_chunk(data, chunk))


@pytest.mark.parametrize("segment", [(0xE2, b"MPF\0" + bytes(3)), (0xED, b"Photoshop 3.0\0008BIM"), (0xE0, b"JFIF\0")])
def test_a_jpeg_needs_no_segment_beside_its_pixels(segment):
    data = encoded(scene(), "JPEG")
    assert np.array_equal(read_photo(with_jpeg_segment(data, jpeg_segment(*segment))), read_photo(data))


def test_the_orientation_is_found_where_each_format_keeps_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    png, jpeg = encoded(scene(), "PNG"), encoded(scene(), "JPEG")
    raw = f"\nexif\n{len(exif.tobytes())}\n{exif.tobytes().hex()}\n".encode()
    turned = [
        encoded(scene(), "JPEG", exif=exif),
        with_jpeg_segment(jpeg, jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)),
        encoded(scene(), "PNG", exif=exif),
        with_png_chunk(png, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)),
        with_png_chunk(png, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp))),
        with_png_chunk(png, png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))),
        with_png_chunk(png, png_chunk(b"eXIf", exif.tobytes()[6:]), before=b"IEND"),
        encoded(scene(), "WEBP", exif=exif),
        encoded(scene(), "WEBP", xmp=xmp),
        encoded(scene(), "AVIF", exif=exif),
    ]
    for data in turned:
        assert both(data)[0].size == (240, 320)


def moving(number: int) -> Image.Image:
    """A frame of an animation in which a red square moves over noise, a pixel to and fro."""
    frame = Image.effect_noise((60, 60), 90).convert("RGB")
    frame.paste((230, 0, 0), (20 + number % 8, 20, 40 + number % 8, 40))
    return frame


def shows_square(*images: Image.Image) -> bool:
    return all(
        image.convert("RGB").getpixel((image.width // 2, image.height // 2))[1] < 90
        and ImageStat.Stat(image.convert("RGB")).stddev[1] > 40
        for image in images
    )


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("percent", [16, 30, 60, 90])
def test_of_an_animation_that_was_cut_a_whole_frame_is_taken(format, percent):
    data = animation([moving(number) for number in range(8)], format)
    assert shows_square(*both(data[: len(data) * percent // 100]))


@pytest.mark.parametrize("number", [0, 1, 3, 7])
@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_damaged_frames_of_an_animation_are_stepped_over(format, number):
    options = {"lossless": True, "kmin": 0, "kmax": 1} if format == "WEBP" else {}  # each frame is whole in itself
    data = damaged_frame(animation([moving(number) for number in range(8)], format, **options), format, number)
    assert shows_square(*both(data))


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_nearly_black_frames_at_the_beginning_are_not_described(format):
    dark = [Image.effect_noise((60, 60), 4).point(lambda value: value - 120).convert("RGB") for _ in range(20)]
    data = animation(dark + [moving(number) for number in range(20)], format)
    assert shows_square(*both(data))


def test_an_animation_is_not_decoded_further_than_one_image():
    data = animation([Image.new("L", (50, 50), number) for number in range(200)], "GIF")
    limit = 50 * 50 * 20
    assert decode_image(data, draft=100, max_pixels=limit).pixels.convert("L").getpixel((5, 5)) <= 20
