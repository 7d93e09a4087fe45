"""Fit and judge the confidence of captions: see model/confidence.py for what is fitted."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.confidence import Confidence, Logistic, standardise
from model.photo_statistics import photo_statistics
from training.hard_photos import hard_photos
from training.non_photos import non_photos

Features = Sequence[Mapping[str, float]]
REFUSE_BELOW = 0.35  # below an even chance: to refuse a photo is worse than to describe a page of text


def fit_confidence(
    captions: Features, good: np.ndarray, photos: np.ndarray, *, hedged: float = 0.1, seed: int = 0
) -> Confidence:
    """Fit both models. Judge the result on other photos and captions than these.

    captions: `caption_features` of each caption; good: bool (captions,). photos: uint8 (count, 224, 224, 3), such as
    training photos. hedged: share of these captions that is to be hedged.
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

    balanced: both classes weigh the same, however many examples each has. Do not set it where the probability itself
    matters. A feature is left out where it is missing from the first example; elsewhere missing counts as the mean.
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
    found = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        gradient = design.T @ (importance * (p - y)) + ridge @ found
        curvature = (design.T * (importance * p * (1 - p) + 1e-9)) @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    count = len(names)
    return Logistic(
        names=names,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(found[:count].tolist()),
        squares=tuple(found[count : 2 * count].tolist()) if squares else (0.0,) * count,
        bias=float(found[-1]),
    )


def reliability(confidence: np.ndarray, good: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean confidence, share that was good, and count, in bins of equal mass from the least sure to the surest."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    return [(float(confidence[part].mean()), float(good[part].mean()), part.size) for part in parts]


def calibration_error(confidence: np.ndarray, good: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) over bins of equal mass."""
    table = reliability(confidence, good, bins)
    return sum(count * abs(said - was) for said, was, count in table) / len(confidence)


def area_under_roc(confidence: np.ndarray, good: np.ndarray) -> float:
    """How often a good caption has the higher confidence than a bad one; ties count half (Mann-Whitney U)."""
    good = np.asarray(good, dtype=bool)
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive, negative = int(good.sum()), int((~good).sum())
    if not positive or not negative:
        raise ValueError("both good and bad captions are needed")
    return float((ranks[good].sum() - positive * (positive + 1) / 2) / (positive * negative))
