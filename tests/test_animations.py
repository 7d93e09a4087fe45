"""Which frame of an animation is described: a whole one that shows something."""

import pytest
from PIL import Image, ImageStat

from model.errors import UnreadablePhoto
from tests.support.opening import both, decoded
from tests.support.picture_parts import (
    animation,
    damaged_frame,
)

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


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
    assert decoded(data, max_pixels=limit).convert("L").getpixel((5, 5)) <= 20


def test_damaged_frames_are_tried_no_further_than_one_image():
    """One WebP may have ten frames of 50 megapixels at its beginning, each damaged at its end."""
    data = animation([moving(number) for number in range(8)], "WEBP", lossless=True, kmin=0, kmax=1)
    for number in range(3):
        data = damaged_frame(data, "WEBP", number)
    assert shows_square(decoded(data, max_pixels=60 * 60 * 4))
    with pytest.raises(UnreadablePhoto):
        decoded(data, max_pixels=60 * 60 * 3)
