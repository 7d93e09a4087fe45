"""Layers on 8-bit integers give what float32 gives, whatever the processor does with sums of products."""

import numpy as np
import pytest

from model.openvino.layers import Graph, opset
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


def _convolve(weights: dict, ranges: dict | None, pixels: np.ndarray) -> np.ndarray:
    graph = Graph(weights, ranges)
    parameter = opset.parameter([1, CHANNELS, 8, 8], np.float32, name="x")
    x = graph.quantise(opset.relu(parameter).output(0), "x")
    result = graph.convolution(x, "first", padding=weights["first.weight"].shape[-1] // 2)
    model = openvino.Model([opset.result(result)], [parameter], "layer")
    return compile_graph(model)([pixels])[0]
