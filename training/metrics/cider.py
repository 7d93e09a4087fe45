"""CIDEr-D (Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation", eq. 2 to 4 and section 7).

A sentence becomes one TF-IDF vector for each n-gram length; the score is the cosine between hypothesis and reference,
averaged over lengths and references, times 10. The "-D" variant clips the hypothesis' weights to the reference's and
takes off for a wrong length (Gaussian, sigma 6), so that repeating the right words earns nothing.

`cider` evaluates. `CiderD` is for rewards: IDF comes from the training references once, each photo's reference vectors
are made once, and then very many hypotheses are scored.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from training.metrics.ngrams import ORDER, Ngram, Tokens, count_ngrams

SIGMA = 6.0


class _Vectors(NamedTuple):
    """The references of one photo, turned inside out: for each n-gram, who has it and with what weight."""

    postings: dict[Ngram, list[tuple[int, float, float]]]  # reference, its weight, its weight after normalisation
    lengths: list[int]


class CiderD:
    """Scores hypotheses against the references of photos that were added before. Tokens may be words or ids.

    document_frequency: for each n-gram of one to four tokens, the number of photos whose references hold it.
    documents: the number of photos that were counted.

    An end token is a token like any other: whoever wants it counted appends it to the references (those given to
    `from_references` and to `add`) and to each hypothesis. In self-critical training it must be there, or the model
    learns to stop after "with a".
    """

    def __init__(self, document_frequency: dict[Ngram, int], documents: int):
        self._unseen_idf = math.log(documents)
        self._idf = {ngram: self._unseen_idf - math.log(count) for ngram, count in document_frequency.items()}
        self._photos: dict[Hashable, _Vectors] = {}

    @classmethod
    def from_references(cls, references: Iterable[Sequence[Tokens]]) -> Self:
        """Count document frequencies over photos; `references` holds a list of sentences for each photo."""
        frequency: Counter[Ngram] = Counter()
        documents = 0
        for sentences in references:
            frequency.update(
                {ngram for tokens in sentences for n in range(ORDER) for ngram in count_ngrams(tokens, n + 1)}
            )
            documents += 1
        return cls(frequency, documents)

    def add(self, photo: Hashable, references: Sequence[Tokens]) -> None:
        """Precompute and keep the vectors of a photo's references (at least one)."""
        postings: dict[Ngram, list[tuple[int, float, float]]] = {}
        for reference, tokens in enumerate(references):
            for n in range(ORDER):
                weights = self._weights(tokens, n + 1)
                norm = _norm(weights)
                for ngram, weight in weights.items():
                    if weight > 0.0:
                        postings.setdefault(ngram, []).append((reference, weight, weight / norm))
        self._photos[photo] = _Vectors(postings, [_length(tokens) for tokens in references])

    def score(self, photo: Hashable, hypothesis: Tokens) -> float:
        """CIDEr-D of one hypothesis, 0 to 10. KeyError if the photo was not added."""
        return self.mean_score([photo], hypothesis)

    def mean_score(self, photos: Sequence[Hashable], hypothesis: Tokens) -> float:
        """The mean of one hypothesis' CIDEr-D for each of these photos: how well it would describe any of them."""
        vectors = [self._weights(hypothesis, n + 1) for n in range(ORDER)]
        norms = [_norm(weights) for weights in vectors]
        length = _length(hypothesis)
        return sum(self._against(photo, vectors, norms, length) for photo in photos) / len(photos)

    def _against(
        self, photo: Hashable, vectors: Sequence[dict[Ngram, float]], norms: Sequence[float], length: int
    ) -> float:
        """CIDEr-D for one photo. vectors, norms: of the hypothesis, for each n-gram length."""
        postings, lengths = self._photos[photo]
        similarity = [0.0] * len(lengths)  # per reference, summed over n-gram lengths
        for weights, norm in zip(vectors, norms, strict=True):
            for ngram, weight in weights.items():
                for reference, reference_weight, normalised in postings.get(ngram, ()):
                    similarity[reference] += min(weight, reference_weight) * normalised / norm
        total = sum(
            s * math.exp(-((length - r) ** 2) / (2 * SIGMA**2)) for s, r in zip(similarity, lengths, strict=True)
        )
        return 10.0 * total / (ORDER * len(lengths))

    def scores(self, photos: Iterable[Hashable], hypotheses: Iterable[Tokens]) -> np.ndarray:
        """One score for each pair of photo and hypothesis, float64. A photo may come several times."""
        return np.array([self.score(*pair) for pair in zip(photos, hypotheses, strict=True)])

    def _weights(self, tokens: Tokens, n: int) -> dict[Ngram, float]:
        """TF-IDF of each n-gram. One that no document has counts as if one had it."""
        return {
            ngram: count * self._idf.get(ngram, self._unseen_idf) for ngram, count in count_ngrams(tokens, n).items()
        }


def cider(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """CIDEr-D of each photo, float64 (photos,); the corpus score is its mean. IDF from the references given."""
    metric = CiderD.from_references(references)
    for photo, sentences in enumerate(references):
        metric.add(photo, sentences)
    return metric.scores(range(len(references)), hypotheses)


def _norm(weights: dict[Ngram, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values()))


def _length(tokens: Tokens) -> int:
    """The number of bigrams, which is what pycocoevalcap takes for the length."""
    return max(0, len(tokens) - 1)
