"""What is accepted as a photo, and how it is stored."""

import io

import pytest
from PIL import Image

from bots.service.photo_check import LONGEST, check_photo
from tests.support.hostile_files import FORMATS, PAGE, photo
from tests.support.picture_parts import BLUE, RED, encoded, halves

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def kept(data, **limits):
    """The picture that is kept, decoded."""
    return Image.open(io.BytesIO(check_photo(data, **limits).jpeg))


def near(pixel, colour):
    return all(abs(a - b) < 25 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_kept_as_a_jpeg(format):
    checked = check_photo(encoded(halves(), format))
    image = Image.open(io.BytesIO(checked.jpeg))
    assert (
        (image.format, image.mode, image.size)
        == ("JPEG", "RGB", (checked.width, checked.height))
        == ("JPEG", "RGB", (64, 32))
    )
    assert near(image.getpixel((10, 16)), RED)
    assert near(image.getpixel((54, 16)), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel_is_kept_in_rgb(mode):
    image = Image.new("I;16", (40, 30), 50_000) if mode == "I;16" else Image.new("RGB", (40, 30), "white").convert(mode)
    value = kept(encoded(image)).getpixel((20, 15))[0]
    assert value == pytest.approx(195 if mode == "I;16" else 255, abs=2)


def test_cmyk_is_kept_in_rgb():
    assert near(kept(encoded(halves().convert("CMYK"), "JPEG")).getpixel((10, 16)), RED)


def test_the_longest_side_is_at_most_1024_pixels():
    assert kept(encoded(Image.new("RGB", (3000, 1500)), "JPEG")).size == (LONGEST, LONGEST // 2)
    assert kept(encoded(Image.new("RGB", (10, 5000)))).size == (2, LONGEST)
    assert kept(encoded(Image.new("RGB", (1, 1)))).size == (1, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_upright(format, orientation):
    # As a camera stores it: pixels as on the sensor, and a tag that tells how to turn them upright.
    as_stored = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    image = halves() if as_stored is None else halves().transpose(Image.Transpose(as_stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = kept(encoded(image, format, exif=exif))
    assert upright.size == (64, 32)
    assert near(upright.getpixel((10, 16)), RED)


def test_no_metadata_is_kept():
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Camera of Ann", {1: "N", 2: (48.0, 8.0, 12.0)}
    data = encoded(halves(), "JPEG", exif=exif, comment=b"at home", dpi=(300, 300), icc_profile=b"profile" * 20)
    image = kept(data)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not any(word in check_photo(data).jpeg for word in (b"Ann", b"home", b"profile"))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_is_no_reason_to_refuse_a_photo():
    assert kept(encoded(halves(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")).size == (64, 32)


def test_what_is_transparent_becomes_white():
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 20, 20))
    for format in ("PNG", "WEBP"):
        assert near(kept(encoded(image, format)).getpixel((5, 10)), RED)
        assert near(kept(encoded(image, format)).getpixel((35, 10)), (255, 255, 255))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_a_frame_in_its_middle_is_kept(format):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("black", "black", RED, BLUE, BLUE)]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    assert not near(kept(data).getpixel((10, 10)), (0, 0, 0))


def test_a_long_animation_is_not_decoded_whole():
    frames = [Image.new("L", (30, 20), number) for number in range(0, 250)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert kept(data).getpixel((10, 10))[0] < 20


def test_the_same_upload_is_always_the_same_photo():
    assert check_photo(photo("PNG")) == check_photo(photo("PNG"))
    assert check_photo(photo("PNG")).sha256 != check_photo(encoded(halves())).sha256


def test_something_hidden_behind_a_photo_is_not_kept():
    assert b"script" not in check_photo(photo("JPEG") + PAGE).jpeg
