"""Photos that look the same have hashes that hardly differ; others do not."""

import io
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from db.perceptual_hash import NEAR, distance, perceptual_hash

SAMPLES = sorted((Path(__file__).resolve().parent.parent / "samples").glob("*.jpg"))
CHANGES = {
    "compressed": lambda photo: photo,
    "smaller": lambda photo: photo.resize((photo.width // 3, photo.height // 3)),
    "squashed": lambda photo: photo.resize((256, 256)),
    "brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.2),
    "cut a little": lambda photo: photo.crop((4, 4, photo.width - 4, photo.height - 4)),
}


def encode(photo: Image.Image, quality: int = 60) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_changed_copy_is_near(path, change):
    with Image.open(path) as photo:
        copy = encode(CHANGES[change](photo.convert("RGB")))
    assert distance(perceptual_hash(path.read_bytes()), perceptual_hash(copy)) <= NEAR


def test_other_photos_are_far():
    hashes = [perceptual_hash(path.read_bytes()) for path in SAMPLES]
    assert min(distance(*pair) for pair in combinations(hashes, 2)) > NEAR


def test_a_hash_is_sixteen_hex_digits_that_stay_the_same():
    hashes = {perceptual_hash(SAMPLES[0].read_bytes()) for _ in range(2)}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 16


def test_a_picture_of_one_colour_has_a_hash_too():
    assert len(perceptual_hash(encode(Image.new("RGB", (40, 30), "grey")))) == 16
