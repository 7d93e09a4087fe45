"""What changes unnoticed when a model is taught: its sentences get long or short, poor in words, or all alike."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from model.sentences import DANGLING
from training.evaluate import Evaluation

COMMONEST = 20


@dataclass(frozen=True)
class Drift:
    """Over the captions of one evaluation. Shares are 0 to 1."""

    length: float  # mean number of words
    vocabulary: int  # different words
    distinct: float  # share of captions that differ from all before them
    commonest: float  # share of the 20 most common captions
    repeats: float  # share of captions with a word twice in a row, or two words twice
    cut_off: float  # share of captions that end on a word which needs another one behind it


def drift(evaluation: Evaluation) -> Drift:
    said = [tuple(evaluation.words(example.id)) for example in evaluation.examples]
    counts, total = Counter(said), len(said)
    return Drift(
        length=sum(map(len, said)) / total,
        vocabulary=len({word for words in said for word in words}),
        distinct=len(counts) / total,
        commonest=sum(count for _, count in counts.most_common(COMMONEST)) / total,
        repeats=sum(map(_repeats, said)) / total,
        cut_off=sum(not words or words[-1] in DANGLING for words in said) / total,
    )


def _repeats(words: tuple[str, ...]) -> bool:
    pairs = [*pairwise(words)]
    return any(one == other for one, other in pairs) or len(set(pairs)) < len(pairs)
