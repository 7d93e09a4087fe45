"""What is refused as a photo and with which reason, and how much memory and time a photo may take."""

import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from bots.errors import BrokenPhoto, EmptyFile, FileTooLarge, OtherPicture, PhotoTooLarge, TooManyPixels, UserError
from bots.service.photo_check import check_photo
from tests.support.costly_files import COSTLY
from tests.support.hostile_files import gif_bomb, hostile_files, jpeg_bomb, photo, png_bomb
from tests.support.picture_parts import encoded, halves

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def test_an_empty_file_is_reported_as_empty():
    with pytest.raises(EmptyFile):
        check_photo(b"")


def test_a_picture_of_another_format_is_named():
    with pytest.raises(OtherPicture, match="can't read BMP files"):
        check_photo(encoded(halves(), "BMP"))


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
        check_photo(encoded(halves((640, 480)), format))


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
    data = encoded(Image.linear_gradient("L").resize((4000, 4000)).convert("RGB"), format)
    (tmp_path / "photo").write_bytes(data[: len(data) * 9 // 10])
    run = [sys.executable, "-c", textwrap.dedent(CUT_SHORT), tmp_path / "photo"]
    kilobytes = subprocess.run(run, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}).stdout
    assert int(kilobytes) < 120_000  # 4000 x 4000 pixels have 64 MB, and twice that would be 128 MB
