"""Calibrated confidence: the share of captions with this confidence that are good.

Two logistic regressions, both fitted by training/packaging/calibration.py and stored in a model folder's
confidence.json: one predicts from the caption's log-probabilities whether it is good, the other from statistics of the
pixels whether the image is a photo. Without that file the confidence is the geometric mean probability of a word, and
no caption is hedged or refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import exp, isnan
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from model.errors import DamagedModel
from model.hypotheses import Hypothesis
from model.json_files import first_fault

# Of a file: with larger numbers a logit would be infinite, or not a number.
Number = Annotated[float, Field(ge=-1e6, le=1e6)]
Numbers = Annotated[tuple[Number, ...], Field(max_length=100)]
Scales = Annotated[tuple[Annotated[float, Field(gt=0, le=1e6)], ...], Field(max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]

FAR = 5.0  # standard deviations


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised features, and on their squares where both extremes mean the same.

    p = sigmoid(bias + sum of weights * z + squares * z ** 2),  z = (x - mean) / scale

    A feature that is missing or not a number counts as its mean. z is clipped to -5 ... 5, so that a value far outside
    of what was fitted has a bounded effect.
    """

    names: Annotated[tuple[str, ...], Field(max_length=100)]
    mean: Numbers
    scale: Scales
    weights: Numbers
    squares: Numbers
    bias: Number

    def __post_init__(self) -> None:
        if len({len(part) for part in (self.names, self.mean, self.scale, self.weights, self.squares)}) > 1:
            raise ValueError("its lists differ in length")

    def __call__(self, features: Mapping[str, float]) -> float:
        """The probability, 0 to 1."""
        logit = self.bias
        for name, mean, scale, weight, square in self._parts:
            x = features.get(name, mean)
            if not isnan(x):
                z = max(-FAR, min(FAR, (x - mean) / scale))
                logit += weight * z + square * z * z
        return 1 / (1 + exp(-max(-30, min(30, logit))))

    @cached_property
    def _parts(self) -> list[tuple[str, float, float, float, float]]:
        """Name, mean, scale, weight and square of each feature; for so few plain Python is faster than arrays."""
        return [*zip(self.names, self.mean, self.scale, self.weights, self.squares, strict=True)]


def standardise(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Features in standard deviations from their mean, clipped as in Logistic."""
    return ((x - mean) / scale).clip(-FAR, FAR)


@dataclass(frozen=True)
class Confidence:
    """The confidence of a model's captions, and the thresholds for what is shown."""

    good: Logistic  # of `caption_features`
    photo: Logistic  # of `photo_statistics`
    hedge_below: Share  # a caption with less confidence begins with "Could be"
    refuse_below: Share  # an image that is less likely to be a photo is refused

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; other keys, such as the definition of good, are ignored. Raises DamagedModel."""
        try:
            return TypeAdapter(cls).validate_python(value)
        except ValidationError as error:
            raise DamagedModel(f"confidence.json is damaged ({first_fault(error)})") from None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def caption_features(hypotheses: Sequence[Hypothesis]) -> dict[str, float]:
    """Features of the best caption for `Confidence.good`. hypotheses: of one photo, best first."""
    best = hypotheses[0]
    log_probs = np.array(best.log_probs)
    features = {
        "words": float(len(best.tokens)),
        "mean_log_prob": float(log_probs.mean()),
        "min_log_prob": float(log_probs.min()),
        "sum_log_prob": float(log_probs.sum()),
    }
    if len(hypotheses) > 1:  # with one beam there is no second: the features stay missing
        second = hypotheses[1]
        words, others = set(best.tokens), set(second.tokens)
        features["margin"] = best.score - second.score
        features["agreement"] = 2 * len(words & others) / (len(words) + len(others))
    if best.extras is not None:
        attention = np.clip(best.extras, 1e-9, None)
        features["attention_entropy"] = float(-(attention * np.log(attention)).sum(axis=-1).mean())
    return features


def mean_probability(hypothesis: Hypothesis) -> float:
    """Geometric mean of the probabilities of the words and the end."""
    return float(np.exp(np.mean(hypothesis.log_probs)))
