"""Precision, recall and F1 of the words of a caption, order ignored."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.metrics.ngrams import Tokens


def overlap(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """Precision, recall and F1 of each photo, float64 (photos, 3), each 0 to 1; the corpus scores are the column means.

    Precision: the share of the hypothesis' words that a reference has too. A repeated word counts at most as often as
        in the reference that has it most often (as BLEU-1, without the brevity penalty).
    Recall: the share of a reference's words that the hypothesis has, repetitions clipped likewise; taken for each
        reference alone, and the best of them counts, since no caption can say what five people said.
    F1: the harmonic mean of these two, photo by photo (so the corpus F1 is not that of the corpus figures).
    An empty hypothesis scores 0.
    """
    return np.array([_score(*pair) for pair in zip(hypotheses, references, strict=True)]).reshape(-1, 3)


def _score(hypothesis: Tokens, references: Sequence[Tokens]) -> tuple[float, float, float]:
    said = Counter(hypothesis)
    counts = [Counter(reference) for reference in references]
    most: Counter = Counter()
    for count in counts:
        most |= count
    precision = (said & most).total() / max(1, len(hypothesis))
    recall = max((said & count).total() / max(1, count.total()) for count in counts)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1
