"""ROUGE-L (Lin 2004): the longest common subsequence of a hypothesis and its references, as pycocoevalcap scores it."""

from collections.abc import Sequence

import numpy as np

from training.metrics.ngrams import Tokens

BETA = 1.2
"""How much more recall counts than precision (pycocoevalcap's choice)."""


def rouge_l(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """ROUGE-L of each photo, float64 (photos,), each 0 to 1; the corpus score is its mean.

    Precision and recall are each the best over the references, and need not come from the same one.
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
    """Its length. Row by row: best[j] is the answer for what was read of a and the first j tokens of b."""
    best = [0] * (len(b) + 1)
    for token in a:
        diagonal = 0
        for j, other in enumerate(b, start=1):
            above = best[j]
            best[j] = diagonal + 1 if token == other else max(above, best[j - 1])
            diagonal = above
    return best[-1]
