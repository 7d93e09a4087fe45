"""Every file of the zoo becomes what it should, and uploads and the command line agree on it."""

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from bots.errors import UserError
from bots.service.photo_check import check_photo
from model.caption_files import read_picture
from model.errors import UnreadablePhoto
from tests.support.photo_zoo import MOST_BYTES, MOST_PIXELS, PART, SIZE, WHOLE, ZOO, scene

# What the command line says of a file that uploads are refused with this error for.
SENTENCES = {
    "BrokenPhoto": r"the .*picture is broken or cut short \(.+\)",
    "EmptyFile": r"the file is empty \(0 bytes\)",
    "OtherPicture": r"\w+ pictures are not supported; .+",
    "UnreadablePhoto": r"this is not a picture; .+",
    "TooManyPixels": r"the picture is too large: .+",
    "FileTooLarge": r"the file has .+",
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
    pytest.mark.filterwarnings("ignore:Corrupt EXIF data"),
]


def uploaded(data: bytes) -> Image.Image | str:
    """The picture that uploads keep, or the name of the error that they are refused with."""
    try:
        jpeg = check_photo(data, max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS).jpeg
    except UserError as error:
        return type(error).__name__
    return Image.open(io.BytesIO(jpeg))


def named(path) -> Image.Image | str:
    """The picture that the command line gives to the model, or what it says instead."""
    try:
        return Image.fromarray(read_picture(path, max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS))
    except UnreadablePhoto as error:
        return str(error)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Of the mean colours of 6 x 4 fields, from 0 to 255."""
    small = [image.convert("RGB").resize((6, 4), Image.Resampling.BOX) for image in (one, other)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


def test_the_zoo_is_large():
    assert len(ZOO) >= 120


@pytest.mark.parametrize("name", ZOO)
def test_a_file_of_the_zoo_becomes_what_it_should(name, tmp_path):
    specimen = ZOO[name]
    data = specimen.make()
    (tmp_path / "photo.jpg").write_bytes(data)
    upload, array = uploaded(data), named(tmp_path / "photo.jpg")
    if specimen.outcome not in (WHOLE, PART):
        assert upload == specimen.outcome
        assert re.fullmatch(re.escape(f"{tmp_path}/photo.jpg: ") + SENTENCES[specimen.outcome], array)
        return
    assert not isinstance(upload, str), upload
    assert not isinstance(array, str), array
    assert difference(upload, array) < 12
    if specimen.scene:
        assert upload.width == SIZE[0]
        assert upload.height == SIZE[1] if specimen.outcome == WHOLE else SIZE[1] / 2 <= upload.height < SIZE[1]
        expected = scene().crop((0, 0, *upload.size))
        grey = np.ptp(np.asarray(upload, dtype=int), axis=2).mean() < 8
        assert difference(upload, expected.convert("L") if grey else expected) < 25
