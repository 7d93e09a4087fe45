"""Bootstrap confidence intervals over photos (Efron and Tibshirani 1993), and paired comparison (Koehn 2004).

Photos are resampled with replacement, and the metric is computed for each resample. A resample is a row of weights: how
often each photo was drawn. So all resamples are one matrix product with the photos' scores or, for metrics that are not
a mean (BLEU, METEOR), with the statistics that are summed. CIDEr's IDF stays that of the whole set.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LEVEL = 0.95

Combine = Callable[[np.ndarray], np.ndarray]
"""From sums over photos (..., columns) to a metric (...), such as `lambda totals: bleu_of_totals(totals)[..., 3]`."""


class Interval(NamedTuple):
    """A metric and its percentile interval. Low and high are None where resampling makes no sense."""

    value: float
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """The metric of system A minus that of system B on the same photos."""

    difference: float
    low: float
    high: float
    wins: float  # share of resamples in which A scores higher


def resample(photos: int, resamples: int, seed: int) -> np.ndarray:
    """How often each photo was drawn, float64 (resamples, photos), each row summing to `photos`."""
    draws = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1.0 / photos), size=resamples)
    return draws.astype(np.float64)  # so that the products below run as matrix products of floats


def interval(per_photo: np.ndarray, draws: np.ndarray, combine: Combine | None = None) -> Interval:
    """The metric over all photos with its 95 % interval.

    Args:
        per_photo: scores (photos,), whose mean is the metric; or statistics (photos, columns) for `combine`.
        draws: from `resample`.
        combine: computes the metric from sums of statistics.
    """
    low, high = _percentiles(_metrics(per_photo, draws, combine))
    return Interval(_metric(per_photo, combine), low, high)


def compare(a: np.ndarray, b: np.ndarray, draws: np.ndarray, combine: Combine | None = None) -> Comparison:
    """Paired bootstrap: both systems are scored on the same resamples.

    Args:
        a, b: as `per_photo` of `interval`, for the two systems.
        draws, combine: as of `interval`.
    """
    if a.shape != b.shape:
        raise ValueError(f"the systems must be scored on the same photos, not {len(a)} and {len(b)}")
    differences = _metrics(a, draws, combine) - _metrics(b, draws, combine)
    low, high = _percentiles(differences)
    return Comparison(_metric(a, combine) - _metric(b, combine), low, high, float((differences > 0).mean()))


def _metric(per_photo: np.ndarray, combine: Combine | None) -> float:
    return float(_metrics(per_photo, np.ones((1, len(per_photo))), combine)[0])


def _metrics(per_photo: np.ndarray, draws: np.ndarray, combine: Combine | None) -> np.ndarray:
    """(resamples,)"""
    totals = draws @ per_photo
    return totals / len(per_photo) if combine is None else combine(totals)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
