"""N-gram counts, for BLEU and CIDEr."""

from collections import Counter
from collections.abc import Hashable, Sequence

Tokens = Sequence[Hashable]
"""A tokenised sentence: words, or token ids as plain ints."""

Ngram = tuple[Hashable, ...]

ORDER = 4
"""The longest n-grams of both metrics."""


def count_ngrams(tokens: Tokens, n: int) -> Counter[Ngram]:
    """Count the n-grams of a sentence. Empty if it is shorter than n."""
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))
