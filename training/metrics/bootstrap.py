"""How far a figure can be trusted: bootstrap over photos (Efron and Tibshirani 1993; Koehn 2004 for two systems).

Photos are drawn anew with replacement, and the figure is computed for each draw. A draw is kept as a row of weights
(how often each photo was drawn), so all draws are one matrix product with what is known of each photo: its score, or,
for metrics that are no mean, the statistics that are summed (BLEU, METEOR). CIDEr's IDF stays that of the whole set.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LEVEL = 0.95

Combine = Callable[[np.ndarray], np.ndarray]
"""From sums over photos (..., columns) to one figure (...), such as `lambda totals: bleu_of_totals(totals)[..., 3]`."""


class Interval(NamedTuple):
    """A figure and the percentile interval around it. Low and high are None where resampling makes no sense."""

    value: float
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """System A less system B on the same photos."""

    difference: float
    low: float
    high: float
    wins: float  # share of resamples in which A scores higher


def resample(photos: int, resamples: int, seed: int) -> np.ndarray:
    """How often each photo was drawn: float64 (resamples, photos), each row sums to `photos`. Same seed, same draws."""
    draws = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1.0 / photos), size=resamples)
    return draws.astype(np.float64)  # so that the products below run as matrix products of floats


def interval(per_photo: np.ndarray, draws: np.ndarray, combine: Combine | None = None) -> Interval:
    """The figure over all photos with its 95 % interval.

    per_photo: scores (photos,), whose figure is their mean; or statistics (photos, columns) together with `combine`,
        which makes the figure of their sums.
    draws: from `resample`.
    """
    low, high = _percentiles(_figures(per_photo, draws, combine))
    return Interval(_figure(per_photo, combine), low, high)


def compare(a: np.ndarray, b: np.ndarray, draws: np.ndarray, combine: Combine | None = None) -> Comparison:
    """Paired bootstrap: both systems are scored on the same draws. a, b, combine: as `per_photo` of `interval`."""
    if a.shape != b.shape:
        raise ValueError(f"the systems must be scored on the same photos, not {len(a)} and {len(b)}")
    differences = _figures(a, draws, combine) - _figures(b, draws, combine)
    low, high = _percentiles(differences)
    return Comparison(_figure(a, combine) - _figure(b, combine), low, high, float((differences > 0).mean()))


def _figure(per_photo: np.ndarray, combine: Combine | None) -> float:
    return float(_figures(per_photo, np.ones((1, len(per_photo))), combine)[0])


def _figures(per_photo: np.ndarray, draws: np.ndarray, combine: Combine | None) -> np.ndarray:
    """(resamples,)"""
    totals = draws @ per_photo
    return totals / len(per_photo) if combine is None else combine(totals)


def _percentiles(figures: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
