"""Corpus BLEU (Papineni et al. 2002) as pycocoevalcap computes it, and smoothed sentence BLEU.

Corpus BLEU is not a mean over sentences: matches and lengths are summed first. So `bleu_statistics` reduces each
sentence to nine counts, and `bleu_of_totals` turns sums of such rows (of the corpus, or of a bootstrap resample) into
scores.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.metrics.ngrams import ORDER, Ngram, Tokens, count_ngrams

# pycocoevalcap adds these to avoid 0 / 0. Without them the fifth decimal would differ on very small sets.
_SMALL, _TINY = 1e-9, 1e-15

_EPSILON = 0.1  # "method 1" counts this many matches in place of none


def bleu(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """BLEU-1 to BLEU-4 of the corpus, float64 (4,), each 0 to 1."""
    return bleu_of_totals(bleu_statistics(hypotheses, references).sum(axis=0))


def bleu_statistics(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """Nine counts for each sentence, int64 (sentences, 9).

    Columns 0 to 3: matching n-grams, n = 1 to 4; each is counted at most as often as it occurs in any one reference.
    Columns 4 to 7: n-grams of the hypothesis. Column 8: the length of the reference that is closest in length, the
    shorter one in case of a tie.
    """
    return np.array([_counts(*pair) for pair in zip(hypotheses, references, strict=True)], np.int64).reshape(-1, 9)


def bleu_of_totals(totals: np.ndarray) -> np.ndarray:
    """Summed counts (..., 9) -> BLEU-1 to BLEU-4 (..., 4): brevity penalty times the geometric mean of precisions."""
    matches, candidates, reference_length = totals[..., :4], totals[..., 4:8], totals[..., 8:]
    precisions = (matches + _TINY) / (candidates + _SMALL)
    geometric_means = np.cumprod(precisions, axis=-1) ** (1.0 / np.arange(1, ORDER + 1))
    ratio = (candidates[..., :1] + _TINY) / (reference_length + _SMALL)
    return geometric_means * np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))


def smoothed_bleu(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """Smoothed BLEU-4 of each sentence, float64 (sentences,), as NLTK computes it with `SmoothingFunction().method1`.

    NOT comparable with papers, which report the corpus BLEU above. An n-gram length without a match counts 0.1 matches
    (Chen and Cherry 2014).
    """
    return np.array([_smoothed(row) for row in bleu_statistics(hypotheses, references).tolist()])


def _counts(hypothesis: Tokens, references: Sequence[Tokens]) -> list[int]:
    matches, candidates = [], []
    for n in range(1, ORDER + 1):
        most: Counter[Ngram] = Counter()
        for reference in references:
            most |= count_ngrams(reference, n)  # the larger count of the two
        matches.append((count_ngrams(hypothesis, n) & most).total())  # the smaller count of the two
        candidates.append(max(0, len(hypothesis) - n + 1))
    closest = min((len(reference) for reference in references), key=lambda r: (abs(r - len(hypothesis)), r))
    return [*matches, *candidates, closest]


def _smoothed(row: list[int]) -> float:
    matches, candidates, reference_length = row[:4], row[4:8], row[8]
    if matches[0] == 0:  # not one word in common
        return 0.0
    precisions = [(found or _EPSILON) / max(1, candidate) for found, candidate in zip(matches, candidates, strict=True)]
    brevity = min(0.0, 1.0 - reference_length / candidates[0])
    return math.exp(brevity + sum(math.log(p) for p in precisions) / ORDER)
