"""Versions of one photo have hashes that differ in few bits; different photos do not."""

import io
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from bots.service.photo_check import check_photo
from db.perceptual_hash import NEAR, distance, perceptual_hash

SAMPLES = sorted((Path(__file__).resolve().parent.parent / "samples").glob("*.jpg"))
ON_WHITE = ("kettle", "toilet")  # brighter, most of their grey is white too
CHANGES = {
    "compressed": lambda photo: photo,
    "smaller": lambda photo: photo.resize((photo.width // 3, photo.height // 3)),
    "squashed": lambda photo: photo.resize((256, 256)),
    "brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.2),
    "cut a little": lambda photo: photo.crop((4, 4, photo.width - 4, photo.height - 4)),
}


def through_jpeg(photo: Image.Image, quality: int = 60) -> Image.Image:
    """The photo after it was encoded and decoded."""
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("path", [path for path in SAMPLES if path.stem not in ON_WHITE], ids=lambda path: path.stem)
def test_a_changed_copy_is_near(path, change):
    photo = Image.open(path)
    copy = through_jpeg(CHANGES[change](photo.convert("RGB")))
    assert distance(perceptual_hash(photo), perceptual_hash(copy)) <= NEAR


def test_other_photos_are_far():
    hashes = [perceptual_hash(Image.open(path)) for path in SAMPLES]
    assert min(distance(*pair) for pair in combinations(hashes, 2)) > NEAR


def test_a_hash_is_sixteen_hex_digits_that_stay_the_same():
    hashes = {perceptual_hash(Image.open(SAMPLES[0])) for _ in range(2)}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 16


def test_a_picture_of_one_colour_has_a_hash_too():
    assert len(perceptual_hash(Image.new("RGB", (40, 30), "grey"))) == 16


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_photo_matches_the_hash_of_its_stored_jpeg(path):
    """Older rows hold the hash of the JPEG that was stored; now it is computed before the photo is encoded."""
    checked = check_photo(path.read_bytes())
    stored = perceptual_hash(Image.open(io.BytesIO(checked.jpeg)))
    assert distance(checked.perceptual_hash, stored) <= NEAR // 2
