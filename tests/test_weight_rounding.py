"""Weights on 8-bit integers: as fine as can be, never cut off, and exact in sum where pixels are alike."""

from pathlib import Path

import numpy as np
import pytest

from model.openvino.weight_rounding import round_pixel_weights, round_weights, weight_scale
from model.preprocessing import read_photo_file

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def test_weights_are_as_fine_as_eight_bits_allow():
    alone, twins, unlike = np.zeros((3, 1, 8), np.float32)
    alone[0, 2] = twins[0, 4] = twins[0, 7] = unlike[0, 0] = 1.0
    unlike[0, 1] = -1.0
    assert weight_scale(alone) == pytest.approx(1 / 127)
    assert weight_scale(twins) == pytest.approx(2 / 127.5)  # two in a row of four may be added
    assert weight_scale(unlike) == pytest.approx(1 / 127)  # of unlike sign they take from each other
    apart = np.zeros((1, 8), np.float32)
    apart[0, 3] = apart[0, 4] = 1.0
    assert weight_scale(apart) == pytest.approx(1 / 127)


def test_no_two_integers_that_may_be_added_are_too_large():
    weights = np.random.default_rng(2).normal(size=(16, 30, 3, 3)).astype(np.float32)
    integers = round_weights(weights)[0].astype(int)
    assert np.abs(integers).max() <= 127
    for start in range(0, 30, 4):
        for sign in (1, -1):
            four = np.sort(np.maximum(sign * integers[:, start : start + 4], 0), axis=1)
            assert (four[:, -2:].sum(1) * 255 <= 2**15).all()


def test_weights_of_nothing_but_zeros_stay_zero():
    assert weight_scale(np.zeros((2, 5), np.float32)).tolist() == [[1], [1]]


@pytest.fixture
def filters():
    """Weights (64, 3, 7, 7) of a first convolution."""
    return np.random.default_rng(3).normal(size=(64, 3, 7, 7)).astype(np.float32)


@pytest.mark.parametrize("name", ["cat", "zebra", "teddy_bear"])
def test_the_first_convolution_errs_less_on_the_pixels_of_photos(filters, name):
    photo = read_photo_file(SAMPLES / f"{name}.jpg")
    patches = np.lib.stride_tricks.sliding_window_view(photo / 255 - 0.45, (7, 7), (0, 1))[::10, ::10]

    def error(integers: np.ndarray, scale: np.ndarray) -> float:
        return np.square(np.einsum("yxchw,ochw->yxo", patches, integers * scale - filters)).mean()

    assert error(*round_pixel_weights(filters)) < error(*round_weights(filters)) / 5


def test_no_weight_moves_far_when_the_first_convolution_is_rounded(filters):
    integers, scale = round_pixel_weights(filters)
    assert integers.dtype == np.int8
    assert np.abs(integers - filters / scale).max() < 3
    np.testing.assert_array_equal(round_pixel_weights(np.zeros((2, 3, 3, 3), np.float32))[0], 0)
