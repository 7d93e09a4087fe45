"""The ranges for quantisation, as they are stored with a model."""

import numpy as np
import pytest

from model.errors import DamagedModel
from model.openvino.quantization import Quantization, fingerprint

WEIGHTS = {"conv1.weight": np.ones((2, 3), np.float16), "conv1.bias": np.zeros(2, np.float32)}
MEASURED = Quantization(fingerprint(WEIGHTS), 5, 0.7, {"conv1": (0.0, 2.5)})


def test_what_was_written_is_read_again():
    assert Quantization.from_json(MEASURED.to_json(), WEIGHTS) == MEASURED


def test_a_file_without_scales_is_read():
    before = MEASURED.to_json()
    del before["scales"]
    assert Quantization.from_json(before, WEIGHTS) == MEASURED


def test_ranges_of_another_encoder_are_refused():
    changed = WEIGHTS | {"conv1.bias": np.full(2, 1e-6, np.float32)}
    with pytest.raises(DamagedModel, match="another encoder"):
        Quantization.from_json(MEASURED.to_json(), changed)


@pytest.mark.parametrize(
    "damage",
    [
        {"ranges": None},
        {"ranges": {"conv1": [0.0]}},
        {"ranges": {"conv1": [0.0, float("inf")]}},
        {"ranges": {"conv1": [1.0, 2.0]}},
        {"photos": "many"},
        {"scales": {"conv1": 0.5}},
        {"scales": {"conv1": [0.5, 0.0]}},
    ],
)
def test_damage_is_an_error_that_names_the_file(damage):
    with pytest.raises(DamagedModel, match=r"quantization\.json"):
        Quantization.from_json(MEASURED.to_json() | damage, WEIGHTS)
