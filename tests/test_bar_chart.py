"""The picture of shares that admins get."""

import io

from PIL import Image

from bots.bar_chart import FILL, MARGIN, TRACK, WIDTH, Bar, bar_chart


def pixels(picture: bytes, colour: str) -> int:
    """How many have this colour."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    wanted = tuple(bytes.fromhex(colour.removeprefix("#")))
    return sum(count for count, found in image.getcolors(1 << 20) or [] if found == wanted)


def test_a_bar_is_as_long_as_its_share():
    half, whole = (pixels(bar_chart("Approval", [Bar("v1", share)]), FILL) for share in (0.5, 1.0))
    assert abs(half / whole - 0.5) < 0.02
    assert whole > WIDTH - 2 * MARGIN


def test_an_unknown_share_has_an_empty_bar():
    picture = bar_chart("Approval", [Bar("v1", None)])
    assert pixels(picture, FILL) == 0
    assert pixels(picture, TRACK) > 0


def test_each_bar_makes_the_picture_higher():
    one, two = (Image.open(io.BytesIO(bar_chart("Approval", [Bar("v1", 0.5)] * count))) for count in (1, 2))
    assert two.height > one.height
    assert two.width == one.width == WIDTH
