"""An encoder's weights are moved to the grid of 8-bit integers so that its features change little."""

import numpy as np
import pytest

from model.openvino.encoders import encoder
from model.openvino.layers import Graph
from model.openvino.runtime import compile_graph, openvino, opset
from model.openvino.weight_rounding import round_weights, weight_scale
from tests.support.random_models import random_model, random_photos
from training.packaging.round_encoder import WIDEST, round_encoder


@pytest.fixture(scope="module")
def weights():
    return dict(random_model()[0].encoder)


@pytest.fixture(scope="module")
def made(weights):
    return round_encoder(weights, "resnet50", random_photos(16))


@pytest.fixture(scope="module")
def rounded(made):
    return made[0]


@pytest.fixture(scope="module")
def scales(made):
    return made[1]


def features(weights: dict) -> np.ndarray:
    """The grids of other photos than those that the weights were rounded with, in float32."""
    graph = Graph(weights)
    parameter, pixels = graph.photos(64)
    results = [opset.result(encoder(graph, "resnet50", pixels))]
    return compile_graph(openvino.Model(results, [parameter], "encoder"))([random_photos(24)[16:]])[0]


def test_features_change_less_than_by_rounding_each_weight_by_itself(weights, rounded):
    def nearest(values: np.ndarray) -> np.ndarray:
        whole, scale = round_weights(values.astype(np.float32))
        return (whole * scale).astype(values.dtype)

    one_by_one = {
        name: nearest(value) if value.ndim == 4 and name != "conv1.weight" else value for name, value in weights.items()
    }
    exact = features(weights)
    together, alone = (np.square(features(changed) - exact).mean() for changed in (rounded, one_by_one))
    assert 0 < together < alone / 2


def test_only_weights_of_convolutions_change(weights, rounded):
    assert set(rounded) == set(weights)
    for name, value in rounded.items():
        assert value.dtype == weights[name].dtype
        if value.ndim == 4 and name != "conv1.weight" and value[0].size <= WIDEST:
            assert np.abs(value - weights[name]).max() > 0
        else:
            np.testing.assert_array_equal(value, weights[name])


def test_weights_are_whole_multiples_of_their_step_and_no_two_are_too_large_to_be_added(rounded, scales):
    graph = Graph(rounded)
    for name, steps in scales.items():
        norm = next(key for key in (name.replace("conv", "bn"), f"{name[:-1]}1") if f"{key}.running_var" in rounded)
        values = graph.weight(f"{name}.weight") * graph.norm(norm)[0][:, None, None, None]
        whole = np.rint(values / np.array(steps, np.float32).reshape(-1, 1, 1, 1))
        assert np.abs(values / np.array(steps, np.float32).reshape(-1, 1, 1, 1) - whole).max() < 0.1  # of float16
        assert np.abs(whole).max() <= 127
        assert weight_scale(whole).max() <= 128.01 / 127.5
