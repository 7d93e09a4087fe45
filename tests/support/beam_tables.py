"""Beam search over tables of probabilities, and slower searches that it is compared with."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from model.beam_search import beam_search
from model.hypotheses import Hypothesis, Rules


def markov(tables: np.ndarray) -> tuple[Callable[..., Any], dict[str, np.ndarray]]:
    """Step and state of Markov models: tables (batch, vocabulary, vocabulary) of log-probabilities of the next word.

    The state carries the table of each beam, so a wrong gather mixes up the photos. `extra` is the row that was used.
    """

    def step(tokens: np.ndarray, state: Any) -> Any:
        batch, beams = tokens.shape
        rows = state["tables"][np.arange(batch)[:, None], np.arange(beams), tokens]
        return rows, state, rows

    return step, {"tables": tables[:, None]}


def random_tables(seed: int, batch: int, vocabulary: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(batch, vocabulary, vocabulary)) * 2
    return (logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))).astype(np.float32)


def search(tables: np.ndarray, rules: Rules, **options: Any) -> list[list[Hypothesis]]:
    step, state = markov(tables)
    return beam_search(step, state, rules=rules, **options)


def is_legal(words: tuple[int, ...], rules: Rules) -> bool:
    size = rules.no_repeat_ngram
    ngrams = [words[at : at + size] for at in range(len(words) - size + 1)]
    if rules.no_double_word and any(here == there for here, there in itertools.pairwise(words)):
        return False
    return words[-1] not in rules.dangling and (size == 0 or len(set(ngrams)) == len(ngrams))


def exhaustive(table: np.ndarray, rules: Rules) -> dict[tuple[int, ...], float]:
    """Score of every caption that the rules allow."""
    words = [word for word in range(len(table)) if word != rules.end and word not in rules.forbidden]
    scores = {}
    for length in range(1, rules.max_words + 1):
        for sentence in itertools.product(words, repeat=length):
            if is_legal(sentence, rules):
                path = [rules.start, *sentence, rules.end]
                total = sum(float(table[here, there]) for here, there in itertools.pairwise(path))
                scores[sentence] = total / length**rules.length_penalty
    return scores


def greedy(table: np.ndarray, rules: Rules) -> tuple[int, ...]:
    """Argmax decoding, written as plainly as it can be; no n-gram rule."""
    words: list[int] = []
    while len(words) < rules.max_words:
        row = table[words[-1] if words else rules.start].copy()
        row[list(rules.forbidden)] = -np.inf
        if not words or words[-1] in rules.dangling:
            row[rules.end] = -np.inf
        word = int(row.argmax())
        if word == rules.end:
            return tuple(words)
        words.append(word)
    while words[-1] in rules.dangling and any(word not in rules.dangling for word in words):
        words.pop()
    return tuple(words)
