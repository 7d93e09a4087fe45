"""Confidence: the numbers it is made of, and the file it is kept in."""

import json
import math

import numpy as np
import pytest

from model.confidence import Confidence, Logistic, caption_features, mean_probability
from model.errors import DamagedModel
from model.hypotheses import Hypothesis

HALF = Logistic(names=("x", "y"), mean=(1, 2), scale=(2, 1), weights=(3, 0), squares=(0, -1), bias=0.5)
CONFIDENCE = Confidence(good=HALF, photo=HALF, hedge_below=0.2, refuse_below=0.4)


def hypothesis(tokens: tuple[int, ...], log_probs: tuple[float, ...], extras: np.ndarray | None = None) -> Hypothesis:
    return Hypothesis(tokens, log_probs, extras, score=sum(log_probs))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_logistic_model_follows_its_formula():
    assert HALF({"x": 2, "y": 4}) == pytest.approx(sigmoid(0.5 + 3 * 0.5 - 4))


def test_a_missing_feature_counts_as_its_mean():
    assert HALF({"x": 1, "y": 2}) == HALF({}) == HALF({"x": math.nan}) == pytest.approx(sigmoid(0.5))


def test_an_extreme_feature_counts_as_five_deviations():
    assert HALF({"y": 1e9}) == HALF({"y": 7}) == pytest.approx(sigmoid(0.5 - 25))


def test_features_come_from_the_best_two_sentences():
    best, second = hypothesis((5, 6, 7), (-0.1, -0.2, -1.0, -0.3)), hypothesis((5, 6, 8), (-0.5, -0.5, -0.5, -0.5))
    features = caption_features([best, second])
    assert features["words"] == 3
    assert features["mean_log_prob"] == pytest.approx(-0.4)
    assert features["min_log_prob"] == -1
    assert features["margin"] == pytest.approx(0.4)
    assert features["agreement"] == pytest.approx(2 / 3)
    assert "attention_entropy" not in features


def test_scattered_attention_has_the_higher_entropy():
    even, sharp = np.full((2, 49), 1 / 49), np.eye(49)[:2]
    scattered, focused = (
        caption_features([hypothesis((5,), (-0.1, -0.1), extras)])["attention_entropy"] for extras in (even, sharp)
    )
    assert scattered == pytest.approx(math.log(49))
    assert focused == pytest.approx(0, abs=1e-6)


def test_the_mean_probability_is_geometric():
    assert mean_probability(hypothesis((5,), (math.log(0.9), math.log(0.4)))) == pytest.approx(0.6)


def test_confidence_survives_json():
    assert Confidence.from_json(json.loads(json.dumps(CONFIDENCE.to_json()))) == CONFIDENCE


def test_lists_of_different_length_are_damage():
    value = json.loads(json.dumps(CONFIDENCE.to_json()))
    value["photo"]["weights"].pop()
    with pytest.raises(DamagedModel, match="its lists differ in length"):
        Confidence.from_json(value)
