"""How sure we are of a caption, as a number that means something: how often a caption with this score is a good one.

Two logistic models, both fitted by training/confidence.py and kept in a model folder's confidence.json: one says from
the caption's log-probabilities whether it is good, the other from statistics of the pixels whether this is a photo.
Without that file the confidence is the mean probability of a word, and nothing is hedged or refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import exp, isnan
from typing import Any, Self

import numpy as np

from model.beam_search import Hypothesis
from model.errors import DamagedModel

FAR = 5.0  # standard deviations


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised features, and on their squares where both extremes mean the same.

    p = sigmoid(bias + sum of weights * z + squares * z ** 2),  z = (x - mean) / scale

    A feature that is missing or not a number counts as its mean. z is held within 5 of it, so that something never
    seen in fitting counts as extreme and no more.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    squares: tuple[float, ...]
    bias: float

    def __call__(self, features: Mapping[str, float]) -> float:
        logit = self.bias
        for name, mean, scale, weight, square in self._parts:
            x = features.get(name, mean)
            if not isnan(x):
                z = max(-FAR, min(FAR, (x - mean) / scale))
                logit += weight * z + square * z * z
        return 1 / (1 + exp(-max(-30, min(30, logit))))

    @cached_property
    def _parts(self) -> list[tuple[str, float, float, float, float]]:
        """A few numbers: plain Python is faster than arrays."""
        return [*zip(self.names, self.mean, self.scale, self.weights, self.squares, strict=True)]


def standardise(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return ((x - mean) / scale).clip(-FAR, FAR)


@dataclass(frozen=True)
class Confidence:
    """What is said of a caption in front of people."""

    good: Logistic  # of `caption_features`
    photo: Logistic  # of `photo_statistics`
    hedge_below: float  # a caption less likely to be good is hedged: "Could be: ..."
    refuse_below: float  # what is less likely to be a photo is said to be none

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Raises DamagedModel. Keys that are not read here, such as the definition of good, are for people."""
        try:
            return cls(
                good=_logistic(value["good"]),
                photo=_logistic(value["photo"]),
                hedge_below=float(value["hedge_below"]),
                refuse_below=float(value["refuse_below"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedModel(f"confidence.json is damaged ({type(error).__name__}: {error})") from None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def caption_features(hypotheses: Sequence[Hypothesis]) -> dict[str, float]:
    """What the search knows of its best sentence. hypotheses: of one photo, best first."""
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
        said, other = set(best.tokens), set(second.tokens)
        features["margin"] = best.score - second.score
        features["agreement"] = 2 * len(said & other) / (len(said) + len(other))
    if best.extras is not None:
        attention = np.clip(best.extras, 1e-9, None)
        features["attention_entropy"] = float(-(attention * np.log(attention)).sum(axis=-1).mean())
    return features


def mean_probability(hypothesis: Hypothesis) -> float:
    """Geometric mean of the probabilities of the words and the end."""
    return float(np.exp(np.mean(hypothesis.log_probs)))


def _logistic(value: Mapping[str, Any]) -> Logistic:
    lists = {name: tuple(map(float, value[name])) for name in ("mean", "scale", "weights", "squares")}
    if any(len(numbers) != len(value["names"]) for numbers in lists.values()):
        raise ValueError("its lists differ in length")
    if not all(lists["scale"]):
        raise ValueError("a scale is 0")
    return Logistic(names=tuple(value["names"]), bias=float(value["bias"]), **lists)
