"""ROUGE-L (Lin 2004) as pycocoevalcap computes it: longest common subsequences of a hypothesis and its references."""

from collections.abc import Sequence

import numpy as np

from training.metrics.ngrams import Tokens

BETA = 1.2
"""Weight of recall relative to precision (pycocoevalcap's value)."""


def rouge_l(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """ROUGE-L of each photo, float64 (photos,), each 0 to 1; the corpus score is its mean.

    Precision and recall are each the maximum over the references, and need not come from the same one.
    An empty hypothesis scores 0.
    """
    return np.array([_score(*pair) for pair in zip(hypotheses, references, strict=True)])


def _score(hypothesis: Tokens, references: Sequence[Tokens]) -> float:
    common = [(_longest_common_subsequence(hypothesis, reference), len(reference)) for reference in references]
    longest = max(length for length, _ in common)
    if longest == 0:
        return 0.0
    precision = longest / len(hypothesis)
    recall = max(length / words for length, words in common if words)
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def _longest_common_subsequence(a: Tokens, b: Tokens) -> int:
    """Length of the longest common subsequence. best[j]: that of the tokens of a read so far and the first j of b."""
    best = [0] * (len(b) + 1)
    for token in a:
        diagonal = 0
        for j, other in enumerate(b, start=1):
            above = best[j]
            best[j] = diagonal + 1 if token == other else max(above, best[j - 1])
            diagonal = above
    return best[-1]
