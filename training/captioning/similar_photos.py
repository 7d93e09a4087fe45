"""Finds photos with similar captions, by TF-IDF over the words of all captions of a photo."""

from collections.abc import Mapping, Sequence

import numpy as np

CHUNK = 1000  # photos that are compared with all others at a time


def similar_photos(captions: Mapping[str, Sequence[Sequence[int]]], count: int) -> dict[str, list[str]]:
    """The most similar photos of each photo: those with the highest cosine of TF-IDF vectors (Salton and Buckley 1988).

    Args:
        captions: photo id -> captions as word ids.

    Returns:
        Photo id -> at most `count` others, the most similar first; ties in their given order.
    """
    names = [*captions]
    vectors = _tf_idf([[word for line in captions[name] for word in line] for name in names])
    count = min(count, len(names) - 1)
    nearest = []
    for start in range(0, len(names), CHUNK):
        likeness = vectors[start : start + CHUNK] @ vectors.T
        likeness[np.arange(len(likeness)), np.arange(start, start + len(likeness))] = -1.0  # itself
        nearest.append(np.argsort(-likeness, axis=1, kind="stable")[:, :count])
    return {name: [names[other] for other in row] for name, row in zip(names, np.concatenate(nearest), strict=True)}


def _tf_idf(words: Sequence[Sequence[int]]) -> np.ndarray:
    """TF-IDF of each photo's words, float32 (photos, vocabulary); rows have length 1, or 0 without any telling word."""
    counts = np.zeros((len(words), 1 + max(max(own, default=0) for own in words)), np.float32)
    for row, own in zip(counts, words, strict=True):
        np.add.at(row, list(own), 1)
    vectors = counts * np.log(len(words) / np.maximum(1, (counts > 0).sum(0)))
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
