"""Averaging the weights of decoders."""

import dataclasses

import numpy as np
import pytest

from model.errors import BadData
from model.model_folder import load_model, save_model
from model.openvino.quantization import Quantization, fingerprint
from tests.support.random_models import random_model
from training.captioning.weight_averaging import average


def stored(folder, decoder):
    model, _, _ = random_model("pooled")
    save_model(folder, model.config, model.vocabulary, model.encoder, decoder, {"epoch": 1}, "A card.\n")
    return folder


def test_each_weight_is_the_mean(tmp_path):
    weights = random_model("pooled")[0].decoder
    ones = stored(tmp_path / "ones", {name: np.ones_like(value) for name, value in weights.items()})
    threes = stored(tmp_path / "threes", {name: np.full_like(value, 3) for name, value in weights.items()})
    average([ones, threes], tmp_path / "mean")
    assert all((value == 2).all() for value in load_model(tmp_path / "mean").decoder.values())


def test_an_averaged_model_records_its_parts(tmp_path):
    weights = random_model("pooled")[0].decoder
    one = stored(tmp_path / "one", weights)
    average([one, one], tmp_path / "mean")
    version = load_model(one).version
    assert [part["version"] for part in load_model(tmp_path / "mean").metrics["averaged"]] == [version, version]


def test_the_encoder_keeps_its_quantisation(tmp_path):
    model, _, _ = random_model("pooled")
    parts = (model.config, model.vocabulary, model.encoder, model.decoder, {}, "A card.\n")
    made = Quantization(fingerprint(model.encoder), 5, 0.7, {"conv1": (0.0, 2.5)}, {"layer1.0.conv1": [0.5]}).to_json()
    save_model(tmp_path / "served", *parts, quantization=made)
    average([tmp_path / "served", stored(tmp_path / "other", model.decoder)], tmp_path / "mean")
    assert load_model(tmp_path / "mean").quantization == load_model(tmp_path / "served").quantization is not None


def test_decoders_of_different_form_have_no_mean(tmp_path):
    one = stored(tmp_path / "one", random_model("pooled")[0].decoder)
    other, _, _ = random_model("pooled")
    config = dataclasses.replace(other.config, max_words=5)
    save_model(tmp_path / "other", config, other.vocabulary, other.encoder, other.decoder, {}, "A card.\n")
    with pytest.raises(BadData, match="differ in configuration"):
        average([one, tmp_path / "other"], tmp_path / "mean")
