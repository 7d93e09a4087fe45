"""Fits and evaluates the confidence of captions; model/confidence.py says what is fitted."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.confidence import Confidence, Logistic, standardise
from model.photo_statistics import photo_statistics
from training.packaging.hard_photos import hard_photos
from training.packaging.non_photos import non_photos

Features = Sequence[Mapping[str, float]]
REFUSE_BELOW = 0.35  # below an even chance: to refuse a photo is worse than to describe a page of text


def fit_confidence(
    captions: Features, good: np.ndarray, photos: np.ndarray, *, hedged: float = 0.1, seed: int = 0
) -> Confidence:
    """Fit both logistic models. Evaluate the result on other photos and captions than these.

    Args:
        captions: `caption_features` of each caption.
        good: whether each caption is good, bool (captions,).
        photos: uint8 (count, 224, 224, 3), such as training photos.
        hedged: share of these captions that is to be hedged.
    """
    caption_model = fit_logistic(captions, good)
    real = np.concatenate([photos, hard_photos(photos, seed)])
    statistics = [photo_statistics(picture) for part in (real, non_photos(len(photos), seed)) for picture in part]
    is_photo = np.arange(len(statistics)) < len(real)
    return Confidence(
        good=caption_model,
        photo=fit_logistic(statistics, is_photo, squares=True, balanced=True),
        hedge_below=float(np.quantile([caption_model(features) for features in captions], hedged)),
        refuse_below=REFUSE_BELOW,
    )


def fit_logistic(
    features: Features, labels: np.ndarray, *, squares: bool = False, balanced: bool = False, penalty: float = 10
) -> Logistic:
    """Logistic regression with an L2 penalty on all but the bias, by Newton's method (Bishop 2006, section 4.3.3).

    A feature is left out when it is missing from the first example; elsewhere a missing value counts as the mean.

    Args:
        balanced: give both classes the same weight, however many examples each has; not where the probability itself
            matters.
    """
    names = tuple(features[0])
    x = np.array([[example.get(name, np.nan) for name in names] for example in features])
    y = np.asarray(labels, dtype=float)
    mean, scale = np.nanmean(x, axis=0), np.nanstd(x, axis=0) + 1e-6
    z = np.nan_to_num(standardise(x, mean, scale))
    columns = [z, z**2, np.ones((len(z), 1))] if squares else [z, np.ones((len(z), 1))]
    design = np.concatenate(columns, axis=1)
    importance = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean())) if balanced else np.ones(len(y))
    ridge = np.diag([penalty] * (design.shape[1] - 1) + [1e-9])
    coefficients = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ coefficients, -30, 30)))
        gradient = design.T @ (importance * (p - y)) + ridge @ coefficients
        curvature = (design.T * (importance * p * (1 - p) + 1e-9)) @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        coefficients -= step
        if np.abs(step).max() < 1e-8:
            break
    count = len(names)
    return Logistic(
        names=names,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(coefficients[:count].tolist()),
        squares=tuple(coefficients[count : 2 * count].tolist()) if squares else (0.0,) * count,
        bias=float(coefficients[-1]),
    )


def reliability(confidence: np.ndarray, good: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean confidence, share of good captions, and count, in bins of equal mass from low to high confidence."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    return [(float(confidence[part].mean()), float(good[part].mean()), part.size) for part in parts]


def calibration_error(confidence: np.ndarray, good: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) over bins of equal mass."""
    table = reliability(confidence, good, bins)
    return sum(count * abs(predicted - observed) for predicted, observed, count in table) / len(confidence)


def area_under_roc(confidence: np.ndarray, good: np.ndarray) -> float:
    """How often a good caption has the higher confidence than a bad one; ties count half (Mann-Whitney U)."""
    good = np.asarray(good, dtype=bool)
    _, inverse, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive, negative = int(good.sum()), int((~good).sum())
    if not positive or not negative:
        raise ValueError("both good and bad captions are needed")
    return float((ranks[good].sum() - positive * (positive + 1) / 2) / (positive * negative))
