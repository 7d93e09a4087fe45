"""Counting n-grams: the shared ground of BLEU and CIDEr."""

from collections import Counter
from collections.abc import Hashable, Sequence

Tokens = Sequence[Hashable]
"""A tokenised sentence: words, or token ids as plain ints."""

Ngram = tuple[Hashable, ...]

ORDER = 4
"""Both metrics look at sequences of one to four tokens."""


def count_ngrams(tokens: Tokens, n: int) -> Counter[Ngram]:
    """How often each sequence of n tokens occurs. Empty when the sentence is shorter than n."""
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))
