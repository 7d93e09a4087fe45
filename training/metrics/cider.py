"""CIDEr-D (Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation", eq. 2 to 4 and section 7).

A sentence becomes one TF-IDF vector for each n-gram length. The score is the cosine between hypothesis and reference,
averaged over n-gram lengths and references, times 10. The "-D" variant clips the hypothesis' weights to the
reference's and multiplies by a Gaussian of the difference in length (sigma 6), so that repeating the right words does
not raise the score.

`cider` is for evaluation. `CiderD` is for rewards: it computes the IDF and the vectors of all references once, and then
scores any number of hypotheses.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from training.metrics.ngrams import ORDER, Ngram, Tokens, count_ngrams

SIGMA = 6.0


class _Vectors(NamedTuple):
    """An inverted index of a photo's references: for each n-gram, the references that contain it, with weights."""

    postings: dict[Ngram, list[tuple[int, float, float]]]  # reference, weight, normalised weight
    lengths: list[int]
    shares: list[float]  # of each reference in the mean over references; their sum is 1


class CiderD:
    """Scores hypotheses against the references of photos that were added before. Tokens may be words or ids.

    An end token is a token like any other: to count it, append it to all references and hypotheses. In self-critical
    training it must be counted, or the model learns to stop after "with a".

    Args:
        document_frequency: for each n-gram of one to four tokens, the number of photos whose references contain it.
        documents: the number of photos that were counted.
    """

    def __init__(self, document_frequency: dict[Ngram, int], documents: int):
        self._unseen_idf = math.log(documents)
        self._idf = {ngram: self._unseen_idf - math.log(count) for ngram, count in document_frequency.items()}
        self._photos: dict[Hashable, _Vectors] = {}

    @classmethod
    def from_references(cls, references: Iterable[Sequence[Tokens]]) -> Self:
        """Count document frequencies over photos; `references` has a list of sentences for each photo."""
        frequency: Counter[Ngram] = Counter()
        documents = 0
        for sentences in references:
            frequency.update(
                {ngram for tokens in sentences for n in range(ORDER) for ngram in count_ngrams(tokens, n + 1)}
            )
            documents += 1
        return cls(frequency, documents)

    def add(self, photo: Hashable, references: Sequence[Tokens], weights: Sequence[float] | None = None) -> None:
        """Compute the vectors of a photo's references, of which there must be at least one.

        Args:
            weights: of the references in the mean over them; None: all count alike, as in the paper.
        """
        postings: dict[Ngram, list[tuple[int, float, float]]] = {}
        for reference, tokens in enumerate(references):
            for n in range(ORDER):
                tf_idf = self._weights(tokens, n + 1)
                norm = _norm(tf_idf)
                for ngram, weight in tf_idf.items():
                    if weight > 0.0:
                        postings.setdefault(ngram, []).append((reference, weight, weight / norm))
        weights = [1.0] * len(references) if weights is None else weights
        shares = [weight / sum(weights) for weight in weights]
        self._photos[photo] = _Vectors(postings, [_length(tokens) for tokens in references], shares)

    def score(self, photo: Hashable, hypothesis: Tokens) -> float:
        """CIDEr-D of one hypothesis, 0 to 10. KeyError if the photo was not added."""
        return self.mean_score([photo], hypothesis)

    def mean_score(self, photos: Sequence[Hashable], hypothesis: Tokens) -> float:
        """Mean CIDEr-D of one hypothesis over several photos."""
        vectors = [self._weights(hypothesis, n + 1) for n in range(ORDER)]
        norms = [_norm(weights) for weights in vectors]
        length = _length(hypothesis)
        return sum(self._against(photo, vectors, norms, length) for photo in photos) / len(photos)

    def _against(
        self, photo: Hashable, vectors: Sequence[dict[Ngram, float]], norms: Sequence[float], length: int
    ) -> float:
        """CIDEr-D of a hypothesis for one photo, from its vectors and norms for each n-gram length."""
        postings, lengths, shares = self._photos[photo]
        similarity = [0.0] * len(lengths)  # per reference, summed over n-gram lengths
        for weights, norm in zip(vectors, norms, strict=True):
            for ngram, weight in weights.items():
                for reference, reference_weight, normalised in postings.get(ngram, ()):
                    similarity[reference] += min(weight, reference_weight) * normalised / norm
        mean = sum(
            share * s * math.exp(-((length - r) ** 2) / (2 * SIGMA**2))
            for s, r, share in zip(similarity, lengths, shares, strict=True)
        )
        return 10.0 * mean / ORDER

    def scores(self, photos: Iterable[Hashable], hypotheses: Iterable[Tokens]) -> np.ndarray:
        """CIDEr-D of each pair of photo and hypothesis, float64 (pairs,). A photo may occur in several pairs."""
        return np.array([self.score(*pair) for pair in zip(photos, hypotheses, strict=True)])

    def _weights(self, tokens: Tokens, n: int) -> dict[Ngram, float]:
        """TF-IDF of each n-gram. The document frequency of an unknown n-gram counts as 1."""
        return {
            ngram: count * self._idf.get(ngram, self._unseen_idf) for ngram, count in count_ngrams(tokens, n).items()
        }


def cider(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """CIDEr-D of each photo, float64 (photos,); the corpus score is its mean. The IDF comes from these references."""
    metric = CiderD.from_references(references)
    for photo, sentences in enumerate(references):
        metric.add(photo, sentences)
    return metric.scores(range(len(references)), hypotheses)


def _norm(weights: dict[Ngram, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values()))


def _length(tokens: Tokens) -> int:
    """The number of bigrams, which pycocoevalcap takes as the length."""
    return max(0, len(tokens) - 1)
