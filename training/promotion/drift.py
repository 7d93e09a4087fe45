"""Measures drift that metrics do not show: captions get longer or shorter, poorer in words, or more alike."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from model.caption_text import DANGLING
from training.evaluation.evaluate import Evaluation

COMMONEST = 20


@dataclass(frozen=True)
class Drift:
    """Statistics of the captions of one evaluation. Shares are 0 to 1. The names are keys of judgement.json."""

    length: float  # mean number of words
    vocabulary: int  # different words
    distinct: float  # different captions, as a share of all
    commonest: float  # share of the 20 most common captions
    repeats: float  # share of captions with a word twice in a row, or a bigram twice
    cut_off: float  # share of truncated captions: they end with a word that needs another one after it


def drift(evaluation: Evaluation) -> Drift:
    """Compute the statistics of an evaluation's captions."""
    captions = [tuple(evaluation.words(example.id)) for example in evaluation.examples]
    counts, total = Counter(captions), len(captions)
    return Drift(
        length=sum(map(len, captions)) / total,
        vocabulary=len({word for words in captions for word in words}),
        distinct=len(counts) / total,
        commonest=sum(count for _, count in counts.most_common(COMMONEST)) / total,
        repeats=sum(map(_repeats, captions)) / total,
        cut_off=sum(not words or words[-1] in DANGLING for words in captions) / total,
    )


def _repeats(words: tuple[str, ...]) -> bool:
    pairs = [*pairwise(words)]
    return any(one == other for one, other in pairs) or len(set(pairs)) < len(pairs)
