"""Layers on 8-bit integers give what float32 gives, whatever the processor does with sums of products."""

import numpy as np
import pytest

from model.openvino.layers import Graph, opset, weight_scale
from model.openvino.runtime import compile_graph, openvino

CHANNELS = 64


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("kind", ["positive", "negative", "mixed"])
def test_sums_of_the_largest_products_are_not_cut_off(size, kind):
    weights = np.full((CHANNELS, CHANNELS, size, size), 0.5, np.float32)
    if kind == "mixed":
        weights *= np.random.default_rng(1).choice([1, 0.9, -0.2], weights.shape)
    weights = {"first.weight": -weights if kind == "negative" else weights}
    pixels = np.full((1, CHANNELS, 8, 8), 6.0, np.float32)
    exact, rounded = (_convolve(weights, ranges, pixels) for ranges in (None, {"x": (0.0, 6.0)}))
    assert exact[0, :, 4, 4] == pytest.approx(6.0 * weights["first.weight"].sum((1, 2, 3)), rel=1e-4)
    assert np.abs(rounded - exact).max() <= 0.01 * np.abs(exact).max()


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
    integers = np.rint(weights / weight_scale(weights))
    assert np.abs(integers).max() <= 127
    for start in range(0, 30, 4):
        for sign in (1, -1):
            four = np.sort(np.maximum(sign * integers[:, start : start + 4], 0), axis=1)
            assert (four[:, -2:].sum(1) * 255 <= 2**15).all()


def test_weights_of_nothing_but_zeros_stay_zero():
    assert weight_scale(np.zeros((2, 5), np.float32)).tolist() == [[1], [1]]


def _convolve(weights: dict, ranges: dict | None, pixels: np.ndarray) -> np.ndarray:
    graph = Graph(weights, ranges)
    parameter = opset.parameter([1, CHANNELS, 8, 8], np.float32, name="x")
    x = graph.quantise(opset.relu(parameter).output(0), "x")
    result = graph.convolution(x, "first", padding=weights["first.weight"].shape[-1] // 2)
    model = openvino.Model([opset.result(result)], [parameter], "layer")
    return compile_graph(model)([pixels])[0]
