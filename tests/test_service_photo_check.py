"""What is accepted as a photo, how it is stored, and what is refused with which reason."""

import io
import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from bots.errors import BrokenPhoto, EmptyFile, FileTooLarge, OtherPicture, PhotoTooLarge, TooManyPixels, UserError
from bots.service.photo_check import LONGEST, check_photo
from tests.support.costly_files import COSTLY
from tests.support.hostile_files import FORMATS, PAGE, gif_bomb, hostile_files, jpeg_bomb, photo, png_bomb

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

RED, BLUE = (220, 20, 20), (20, 20, 220)


def encode(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def kept(data, **limits):
    """The picture that is kept, decoded."""
    return Image.open(io.BytesIO(check_photo(data, **limits).jpeg))


def halves(size=(64, 32)):
    """Left red, right blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def near(pixel, colour):
    return all(abs(a - b) < 25 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_kept_as_a_jpeg(format):
    checked = check_photo(encode(halves(), format))
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
    value = kept(encode(image)).getpixel((20, 15))[0]
    assert value == pytest.approx(195 if mode == "I;16" else 255, abs=2)


def test_cmyk_is_kept_in_rgb():
    assert near(kept(encode(halves().convert("CMYK"), "JPEG")).getpixel((10, 16)), RED)


def test_the_longest_side_is_at_most_1024_pixels():
    assert kept(encode(Image.new("RGB", (3000, 1500)), "JPEG")).size == (LONGEST, LONGEST // 2)
    assert kept(encode(Image.new("RGB", (10, 5000)))).size == (2, LONGEST)
    assert kept(encode(Image.new("RGB", (1, 1)))).size == (1, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_upright(format, orientation):
    # As a camera stores it: pixels as on the sensor, and a tag that tells how to turn them upright.
    as_stored = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    image = halves() if as_stored is None else halves().transpose(Image.Transpose(as_stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = kept(encode(image, format, exif=exif))
    assert upright.size == (64, 32)
    assert near(upright.getpixel((10, 16)), RED)


def test_no_metadata_is_kept():
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Camera of Ann", {1: "N", 2: (48.0, 8.0, 12.0)}
    data = encode(halves(), "JPEG", exif=exif, comment=b"at home", dpi=(300, 300), icc_profile=b"profile" * 20)
    image = kept(data)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not any(word in check_photo(data).jpeg for word in (b"Ann", b"home", b"profile"))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_is_no_reason_to_refuse_a_photo():
    assert kept(encode(halves(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")).size == (64, 32)


def test_what_is_transparent_becomes_white():
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 20, 20))
    for format in ("PNG", "WEBP"):
        assert near(kept(encode(image, format)).getpixel((5, 10)), RED)
        assert near(kept(encode(image, format)).getpixel((35, 10)), (255, 255, 255))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_a_frame_in_its_middle_is_kept(format):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("black", "black", RED, BLUE, BLUE)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    assert not near(kept(data).getpixel((10, 10)), (0, 0, 0))


def test_a_long_animation_is_not_decoded_whole():
    frames = [Image.new("L", (30, 20), number) for number in range(0, 250)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert kept(data).getpixel((10, 10))[0] < 20


def test_the_same_upload_is_always_the_same_photo():
    assert check_photo(photo("PNG")) == check_photo(photo("PNG"))
    assert check_photo(photo("PNG")).sha256 != check_photo(encode(halves())).sha256


def test_something_hidden_behind_a_photo_is_not_kept():
    assert b"script" not in check_photo(photo("JPEG") + PAGE).jpeg


def test_an_empty_file_is_reported_as_empty():
    with pytest.raises(EmptyFile):
        check_photo(b"")


def test_a_picture_of_another_format_is_named():
    with pytest.raises(OtherPicture, match="can't read BMP files"):
        check_photo(encode(halves(), "BMP"))


def test_a_file_over_the_limit_is_refused_with_both_sizes():
    with pytest.raises(FileTooLarge, match=r"is 0\.02 MB\. The limit is 0\.01 MB"):
        check_photo(photo("PNG"), max_bytes=10_000)


@pytest.mark.parametrize(("side", "megapixels"), [(9_000, "81"), (60_000, "3,600")])
def test_pixels_over_the_limit_are_refused_with_both_numbers(side, megapixels):
    with pytest.raises(TooManyPixels, match=rf"has {megapixels} megapixels\. The limit is 50\."):
        check_photo(png_bomb(side, side))


@pytest.mark.parametrize("dispose", [0, 1, 2, 3])
def test_a_frame_that_is_larger_than_its_gif_is_refused(dispose):
    with pytest.raises(PhotoTooLarge):
        check_photo(gif_bomb((60_000, 60_000), dispose))


def test_a_jpeg_of_endless_scans_is_refused():
    with pytest.raises(BrokenPhoto):
        check_photo(jpeg_bomb(200))


@pytest.mark.parametrize("name", COSTLY)
def test_no_file_costs_more_than_a_second_before_it_is_refused(name):
    data = COSTLY[name]()
    began = time.thread_time()
    with pytest.raises(UserError):
        check_photo(data)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("format", ["BMP", "TIFF", "PPM", "ICO", "PCX", "TGA", "EPS", "JPEG2000", "DDS"])
def test_a_format_is_named_by_its_first_kilobytes(format):
    with pytest.raises(OtherPicture, match=f"can't read {format} files"):
        check_photo(encode(halves((640, 480)), format))


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(hostile_files)
def test_a_thousand_hostile_files_are_each_refused_with_a_sentence(data):
    with pytest.raises(UserError) as refusal:
        check_photo(data)
    assert str(refusal.value).endswith(".")


BOMBS = """
    import resource
    from tests.support.hostile_files import gif_bomb, jpeg_bomb, photo, png_bomb
    from bots.errors import UserError
    from bots.service.photo_check import check_photo

    check_photo(photo("PNG"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = [gif_bomb((60_000, 60_000), dispose) for dispose in range(4)]
    for bomb in [png_bomb(60_000, 60_000), png_bomb(7_000, 7_000), jpeg_bomb(300), *frames]:
        try:
            check_photo(bomb)
        except UserError:
            continue
        raise SystemExit("a bomb was taken")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_no_bomb_takes_more_memory_than_a_large_photo():
    run = [sys.executable, "-c", textwrap.dedent(BOMBS)]
    kilobytes = subprocess.run(run, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}).stdout
    assert int(kilobytes) < 300_000


MANY = """
    import io, re, resource
    from concurrent.futures import ThreadPoolExecutor
    from PIL import Image
    from bots.service.photo_check import check_photo

    buffer = io.BytesIO()
    Image.new("RGBA", (7000, 5000)).save(buffer, "PNG")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(check_photo, 4 * [buffer.getvalue()]))
    print(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc says what a process holds")
def test_the_memory_of_large_pictures_is_given_back():
    run = [sys.executable, "-c", textwrap.dedent(MANY)]
    kilobytes = subprocess.run(run, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}).stdout
    assert (
        int(kilobytes) < 250_000
    )  # a picture of 35 megapixels has 140 MB; without this more than five times as much is kept


CUT_SHORT = """
    import resource, sys
    from pathlib import Path
    from tests.support.hostile_files import photo
    from bots.service.photo_check import check_photo

    check_photo(photo("PNG"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_photo(Path(sys.argv[1]).read_bytes())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_large_photo_that_was_cut_short_takes_the_memory_of_one_picture(format, tmp_path):
    data = encode(Image.linear_gradient("L").resize((4000, 4000)).convert("RGB"), format)
    (tmp_path / "photo").write_bytes(data[: len(data) * 9 // 10])
    run = [sys.executable, "-c", textwrap.dedent(CUT_SHORT), tmp_path / "photo"]
    kilobytes = subprocess.run(run, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}).stdout
    assert int(kilobytes) < 120_000  # 4000 x 4000 pixels have 64 MB, and twice that would be 128 MB
