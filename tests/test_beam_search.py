"""Beam search over tables of probabilities small enough to try every sentence."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beam_search import Hypothesis, Rules, beam_search

START, END = 0, 1
A, B, C = 2, 3, 4


def markov(tables: np.ndarray):
    """Step and state of Markov models: tables (batch, vocabulary, vocabulary) of log-probabilities of the next word.

    The state carries the table of each beam, so a wrong gather mixes up the photos. `extra` is the row that was used.
    """

    def step(tokens, state):
        batch, beams = tokens.shape
        rows = state["tables"][np.arange(batch)[:, None], np.arange(beams), tokens]
        return rows, state, rows

    return step, {"tables": tables[:, None]}


def random_tables(seed: int, batch: int, vocabulary: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(batch, vocabulary, vocabulary)) * 2
    return (logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))).astype(np.float32)


def search(tables: np.ndarray, rules: Rules, **options) -> list[list[Hypothesis]]:
    step, state = markov(tables)
    return beam_search(step, state, rules=rules, **options)


def is_legal(words: tuple[int, ...], rules: Rules) -> bool:
    size = rules.no_repeat_ngram
    ngrams = [words[at : at + size] for at in range(len(words) - size + 1)]
    return words[-1] not in rules.dangling and (size == 0 or len(set(ngrams)) == len(ngrams))


def exhaustive(table: np.ndarray, rules: Rules) -> dict[tuple[int, ...], float]:
    """Score of every legal sentence."""
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


def test_the_best_sentence_beats_the_greedy_one():
    # Greedy says A (0.6), then ends at best with 0.3: 0.18. B has 0.4, but then ends with 0.9: 0.36.
    probabilities = np.full((1, 4, 4), 1e-9, dtype=np.float32)
    probabilities[0, START, [A, B]] = 0.6, 0.4
    probabilities[0, A, [END, A, B]] = 0.3, 0.3, 0.3
    probabilities[0, B, END] = 0.9
    rules = Rules(START, END, max_words=1, forbidden=(START,), length_penalty=0)
    [[one]] = search(np.log(probabilities), rules, beams=1)
    [[best]] = search(np.log(probabilities), rules, beams=2)
    assert (one.tokens, math.exp(one.score)) == ((A,), pytest.approx(0.18))
    assert (best.tokens, math.exp(best.score)) == ((B,), pytest.approx(0.36))


@given(
    seed=st.integers(0, 10_000), alpha=st.sampled_from([0.0, 0.7, 1.0]), ngram=st.integers(0, 3), dangle=st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_enough_beams_find_the_best_of_all_sentences(seed, alpha, ngram, dangle):
    [table] = random_tables(seed, batch=1, vocabulary=5)
    rules = Rules(START, END, 4, (START,), (C,) if dangle else (), no_repeat_ngram=ngram, length_penalty=alpha)
    scores = exhaustive(table, rules)
    [found] = search(table[None], rules, beams=150, nbest=3)
    assert [one.score for one in found] == pytest.approx(sorted(scores.values(), reverse=True)[:3], abs=1e-5)
    assert [scores[one.tokens] for one in found] == pytest.approx([one.score for one in found], abs=1e-5)


@given(seed=st.integers(0, 10_000), dangle=st.booleans())
@settings(max_examples=60, deadline=None)
def test_one_beam_is_argmax_decoding(seed, dangle):
    tables = random_tables(seed, batch=3, vocabulary=7)
    rules = Rules(START, END, 6, (START,), (C, 5) if dangle else (), no_repeat_ngram=0)
    found = search(tables, rules, beams=1)
    assert [one.tokens for [one] in found] == [greedy(table, rules) for table in tables]
