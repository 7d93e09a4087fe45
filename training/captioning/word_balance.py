"""A reward for saying words as often as people do, against the few hundred words that CIDEr-D alone falls back to.

Its mean over the model's sentences is minus the Kullback-Leibler divergence of the model's word frequencies from those
of the references: a word that the model says half as often as people is worth log 2, one that it says twice as often
costs that. Which photos a word is said of is left to CIDEr-D.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from model.vocabulary import SPECIAL

WINDOW = 50_000  # sampled words, the latest, whose frequencies are compared
PRIOR = 5_000  # words said as often as people do are added, so that a word never said is worth log 11 and not infinity


class WordBalance:
    """Rewards sentences of word ids by how rarely their words were said lately."""

    def __init__(self, references: Iterable[Sequence[int]], strength: float):
        counts = Counter(word for line in references for word in _words(line))
        self._shares = {word: count / counts.total() for word, count in counts.items()}
        self._strength = strength
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self._recent: deque[int] = deque()
        self._counts: Counter[int] = Counter()

    def __call__(self, line: Sequence[int]) -> float:
        """The reward of a sentence: the mean over its words, so that longer ones are not worth more."""
        words = _words(line)
        return self._strength * sum(map(self._of_word, words)) / max(1, len(words))

    def _of_word(self, word: int) -> float:
        share = self._shares.get(word)
        if not share:  # the references do not have it
            return 0.0
        said = (self._counts[word] + PRIOR * share) / (len(self._recent) + PRIOR)
        return math.log(share / said)

    def count(self, lines: Iterable[Sequence[int]]) -> None:
        """Add sentences to those that were said, and forget the oldest ones."""
        for line in lines:
            self._recent.extend(_words(line))
            self._counts.update(_words(line))
        while len(self._recent) > WINDOW:
            self._counts[self._recent.popleft()] -= 1


def _words(line: Sequence[int]) -> list[int]:
    return [word for word in line if word >= len(SPECIAL)]
