"""Measuring the ranges that quantisation needs."""

import numpy as np
import pytest

from model.errors import BadData
from model.model_folder import load_model, save_model
from tests.support.random_models import CONFIDENCE, random_model, random_photos
from training.data import load_dataset
from training.packaging.quantize import calibration_photos, measure_ranges, quantize_model


def test_a_model_folder_gets_its_ranges_and_keeps_the_rest(tmp_path):
    stored, _, _ = random_model()
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, {"cider": 0.5}, "A card.\n")
    save_model(tmp_path / "model", *parts, confidence=CONFIDENCE, pictures={"plot.png": b"a picture"})
    measured = quantize_model(tmp_path / "model", random_photos(3))
    again = load_model(tmp_path / "model")
    assert measured.scales
    assert again.quantization == measured.to_json() | {
        "ranges": {name: list(limits) for name, limits in measured.ranges.items()}
    }
    assert (again.metrics, again.confidence) == ({"cider": 0.5}, CONFIDENCE)
    assert (tmp_path / "model" / "README.md").read_text() == "A card.\n"
    assert (tmp_path / "model" / "plot.png").read_bytes() == b"a picture"


def test_weights_that_are_rounded_are_not_rounded_again(tmp_path):
    stored, _, _ = random_model()
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, {}, "A card.\n")
    save_model(tmp_path / "model", *parts)
    first = quantize_model(tmp_path / "model", random_photos(3))
    weights = load_model(tmp_path / "model").encoder
    second = quantize_model(tmp_path / "model", random_photos(9))
    assert second.scales == first.scales
    assert second.ranges != first.ranges
    assert all((load_model(tmp_path / "model").encoder[name] == value).all() for name, value in weights.items())


def test_one_exploding_photo_in_ten_does_not_widen_the_ranges():
    stored, _, _ = random_model()
    plain = random_photos(1)[0] // 8 + 112  # little contrast
    photos = [plain] * 9 + [np.where(random_photos(1)[0] < 128, 0, 255).astype(np.uint8)]
    usual = measure_ranges(stored.encoder, "resnet50", [plain]).ranges["conv1"]
    assert measure_ranges(stored.encoder, "resnet50", photos).ranges["conv1"] == pytest.approx(usual, rel=1e-3)
    widest = measure_ranges(stored.encoder, "resnet50", photos, quantile=1.0).ranges["conv1"]
    assert widest[1] > 1.5 * usual[1]


def test_no_photo_is_an_error():
    stored, _, _ = random_model()
    with pytest.raises(BadData, match="no photo"):
        measure_ranges(stored.encoder, "resnet50", [])


def test_calibration_takes_training_photos_and_skips_broken_ones(tiny_dataset):
    (tiny_dataset / "red-circle.jpg").write_bytes(b"no picture")
    photos = calibration_photos(load_dataset(tiny_dataset), count=100)
    assert [photo.shape for photo in photos] == [(224, 224, 3)] * 5
