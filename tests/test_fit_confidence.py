"""Fitting the confidence, and the metrics of its calibration."""

import tarfile

import numpy as np
import pytest

from model.photo_statistics import photo_statistics
from model.preprocessing import read_photo
from tests.support.non_photos import KINDS, unseen_non_photos
from training.packaging.calibration import area_under_roc, calibration_error, fit_confidence, fit_logistic, reliability
from training.packaging.hard_photos import KINDS as HARD_KINDS
from training.packaging.hard_photos import hard_photos
from training.packaging.non_photos import KINDS as FITTED_KINDS
from training.packaging.non_photos import non_photos


def synthetic(count: int, seed: int = 0) -> tuple[list[dict[str, float]], np.ndarray]:
    """Features and labels from a known logistic model: logit = 1 + 2 a; b says nothing."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, count))
    labels = rng.random(count) < 1 / (1 + np.exp(-(1 + 2 * a)))
    return [{"a": x, "b": 10 + 3 * y} for x, y in zip(a.tolist(), b.tolist(), strict=True)], labels


def test_the_fit_finds_the_model_behind_the_labels():
    features, labels = synthetic(4000)
    model = fit_logistic(features, labels, penalty=1)
    assert model.weights[0] / model.scale[0] == pytest.approx(2, abs=0.15)
    assert model.weights[1] == pytest.approx(0, abs=0.1)
    assert model({"a": 0, "b": 10}) == pytest.approx(1 / (1 + np.exp(-1)), abs=0.03)


def test_squares_find_what_lies_in_the_middle():
    x = np.linspace(-3, 3, 200)
    model = fit_logistic([{"x": value} for value in x], np.abs(x) < 1, squares=True, penalty=0.1)
    assert model({"x": 0}) > 0.9 > 0.1 > model({"x": -2.5})
    assert model({"x": 2.5}) < 0.1


def test_balanced_classes_weigh_the_same():
    features, labels = [{"x": 0.0}] * 100, np.arange(100) < 90
    assert fit_logistic(features, labels)({"x": 0}) == pytest.approx(0.9, abs=0.01)
    assert fit_logistic(features, labels, balanced=True)({"x": 0}) == pytest.approx(0.5, abs=0.01)


def test_a_fitted_confidence_is_calibrated_on_new_examples():
    model = fit_logistic(*synthetic(2000))
    features, labels = synthetic(2000, seed=1)
    confidence = np.array([model(example) for example in features])
    assert calibration_error(confidence, labels) < 0.05
    assert area_under_roc(confidence, labels) > 0.8


def test_the_reliability_table_has_bins_of_equal_mass():
    confidence = np.linspace(0, 1, 100)
    table = reliability(confidence, confidence > 0.5, bins=10)
    assert [count for _, _, count in table] == [10] * 10
    assert [was for _, was, _ in table] == [0] * 5 + [1] * 5


def test_the_calibration_error_is_the_mean_distance_from_the_observed_share():
    assert calibration_error(np.full(100, 0.9), np.arange(100) < 70, bins=1) == pytest.approx(0.2)
    assert calibration_error(np.full(100, 0.7), np.arange(100) < 70, bins=1) == pytest.approx(0)


def test_the_area_under_roc_counts_pairs_and_half_of_the_ties():
    assert area_under_roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert area_under_roc(np.array([0.5, 0.5, 0.5]), np.array([0, 1, 1])) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="both good and bad"):
        area_under_roc(np.array([0.5, 0.6]), np.array([1, 1]))


def test_no_kind_of_picture_is_used_both_to_fit_and_to_test():
    assert not {kind.__name__ for kind in KINDS} & {kind.__name__ for kind in FITTED_KINDS}


def test_pictures_to_fit_on_are_the_same_for_the_same_seed():
    pictures = non_photos(len(FITTED_KINDS), seed=3)
    assert (pictures.shape, pictures.dtype) == ((len(FITTED_KINDS), 224, 224, 3), np.uint8)
    assert np.array_equal(pictures, non_photos(len(FITTED_KINDS), seed=3))
    assert not np.array_equal(pictures, non_photos(len(FITTED_KINDS), seed=4))


def test_hard_photos_differ_from_the_easy_ones():
    photos = np.random.default_rng(0).integers(60, 200, (len(HARD_KINDS), 64, 64, 3), dtype=np.uint8)
    hard = hard_photos(photos)
    assert (hard.shape, hard.dtype) == (photos.shape, np.uint8)
    assert all(not np.array_equal(*pair) for pair in zip(photos, hard, strict=True))


def read_flickr(folder, split: str, count: int) -> np.ndarray:
    wanted = set((folder / f"Flickr_8k.{split}Images.txt").read_text().split())
    photos = []
    with tarfile.open(folder / "images-0.tar") as archive:
        for member in archive:
            if member.name.rsplit("/", 1)[-1] in wanted:
                photos.append(read_photo(archive.extractfile(member).read()))
            if len(photos) == count:
                break
    return np.stack(photos)


def test_unseen_kinds_of_non_photos_are_refused_and_photos_are_not(flickr8k):
    photos, captions = read_flickr(flickr8k, "train", 120), synthetic(120)
    confidence = fit_confidence(*captions, photos)
    refused = [
        np.mean([confidence.photo(photo_statistics(picture)) < confidence.refuse_below for picture in pictures])
        for pictures in (unseen_non_photos(50, seed=1), read_flickr(flickr8k, "dev", 120))
    ]
    assert refused[0] >= 0.9
    assert refused[1] <= 0.05
    assert np.mean([confidence.good(example) < confidence.hedge_below for example in captions[0]]) == pytest.approx(0.1)
