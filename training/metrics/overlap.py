"""Precision, recall and F1 of a caption's words, regardless of their order."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.metrics.ngrams import Tokens


def overlap(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """Precision, recall and F1 of each photo, float64 (photos, 3), each 0 to 1; the corpus scores are the column means.

    Precision: the share of the hypothesis' words that are in a reference. A repeated word counts at clip as often as it
        occurs in any one reference (BLEU-1 without the brevity penalty).
    Recall: the share of a reference's words that are in the hypothesis, clipped likewise. It is computed for each
        reference, and the maximum counts, since no caption can contain the words of five people.
    F1: the harmonic mean of these two for each photo, so the corpus F1 is not that of the corpus scores.
    An empty hypothesis scores 0.
    """
    return np.array([_score(*pair) for pair in zip(hypotheses, references, strict=True)]).reshape(-1, 3)


def _score(hypothesis: Tokens, references: Sequence[Tokens]) -> tuple[float, float, float]:
    words = Counter(hypothesis)
    counts = [Counter(reference) for reference in references]
    clip: Counter = Counter()
    for count in counts:
        clip |= count
    precision = (words & clip).total() / max(1, len(hypothesis))
    recall = max((words & count).total() / max(1, count.total()) for count in counts)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1
