"""Pictures with damage, or with other data beside the pixels: uploads and the command line read both alike."""

import zlib

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from bots.service.photo_check import check_photo
from model.errors import UnreadablePhoto
from model.preprocessing import read_photo
from tests.support.hostile_files import photo
from tests.support.opening import accepted, both, decoded
from tests.support.picture_parts import (
    TRAILER,
    encoded,
    jpeg_segment,
    png_chunk,
    with_jpeg_segment,
    with_png_chunk,
)

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def scene(size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture that no two rows of are alike: noise over a gradient, and red at the top left."""
    gradient = Image.linear_gradient("L").resize(size)
    noise = Image.effect_noise(size, 40)
    picture = Image.merge("RGB", (gradient, ImageChops.invert(gradient), noise))
    picture.paste((230, 20, 20), (0, 0, size[0] // 4, size[1] // 4))
    return picture


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
            image = decoded(part, draft=1000)
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
        assert decoded(encoded(grey, "JPEG", **options), draft=1000).size == (320, 240)


def test_missing_pixels_of_an_interlaced_picture_are_interpolated():
    smooth = Image.radial_gradient("L").resize((320, 240))
    data = encoded(smooth, "GIF")
    part = decoded(data[: len(data) * 6 // 10], draft=1000).convert("L")
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
