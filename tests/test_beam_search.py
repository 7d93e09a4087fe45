"""Beam search over tables of probabilities that are small enough to try every caption."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beam_search import beam_search
from model.hypotheses import Rules
from tests.support.beam_tables import exhaustive, greedy, markov, random_tables, search

START, END = 0, 1
A, B, C = 2, 3, 4


def test_the_best_sentence_beats_the_greedy_one():
    # Greedy decoding chooses A (0.6), then ends with at most 0.3: 0.18. B has 0.4, but then ends with 0.9: 0.36.
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
    seed=st.integers(0, 10_000),
    alpha=st.sampled_from([0.0, 0.7, 1.0]),
    ngram=st.integers(0, 3),
    double=st.booleans(),
    dangle=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_enough_beams_find_the_best_of_all_sentences(seed, alpha, ngram, double, dangle):
    [table] = random_tables(seed, batch=1, vocabulary=5)
    dangling = (C,) if dangle else ()
    rules = Rules(START, END, 4, (START,), dangling, no_repeat_ngram=ngram, no_double_word=double, length_penalty=alpha)
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


@given(seed=st.integers(0, 10_000), beams=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_a_batch_gives_what_its_photos_give_alone(seed, beams):
    tables = random_tables(seed, batch=5, vocabulary=9)
    rules = Rules(START, END, 7, (START,), (C,))
    together = search(tables, rules, beams=beams, nbest=beams)
    for photo, found in enumerate(together):
        [alone] = search(tables[photo : photo + 1], rules, beams=beams, nbest=beams)
        assert [one.tokens for one in found] == [one.tokens for one in alone]
        assert [one.score for one in found] == [one.score for one in alone]


@given(seed=st.integers(0, 2**16), batch=st.integers(1, 6), beams=st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_photos_that_are_done_leave_the_batch_and_the_others_are_the_same(seed, batch, beams):
    rules = Rules(START, END, max_words=8)
    tables = random_tables(seed, batch, 6)
    asked = []

    def narrow(left):
        def step(tokens, state):
            asked.append(len(tokens))
            rows = tables[left][np.arange(len(left))[:, None], tokens]  # what no state carries: it must be narrowed too
            return rows, state, rows

        return step

    state = {"any": np.zeros((batch, 1))}
    narrowed = beam_search(narrow(np.arange(batch)), state, beams=beams, rules=rules, nbest=beams, narrow=narrow)
    whole = search(tables, rules, beams=beams, nbest=beams)
    assert [[found.tokens for found in photo] for photo in narrowed] == [
        [found.tokens for found in photo] for photo in whole
    ]
    assert asked == sorted(asked, reverse=True)


def test_a_short_sentence_is_not_carried_along_to_the_end_of_a_long_one():
    tables = np.full((2, 5, 5), -20.0, np.float32)
    for photo, path in enumerate([(START, A, END), (START, A, B, C, END)]):
        for here, there in itertools.pairwise(path):
            tables[photo, here, there] = -0.1
    asked = []

    def narrow(left):
        def step(tokens, state):
            asked.append(len(tokens))
            return tables[left][np.arange(len(left))[:, None], tokens], state, None

        return step

    found = beam_search(
        narrow(np.arange(2)), {"any": np.zeros((2, 1))}, beams=1, rules=Rules(START, END, 8), narrow=narrow
    )
    assert [one.tokens for [one] in found] == [(A,), (A, B, C)]
    assert asked == [2, 2, 1, 1]


def test_the_order_of_a_batch_does_not_matter():
    tables, rules = random_tables(7, batch=6, vocabulary=9), Rules(START, END, 7, (START,))
    order = np.random.default_rng(0).permutation(6)
    there, back = search(tables, rules, beams=3), search(tables[order], rules, beams=3)
    assert [[one.tokens for one in there[photo]] for photo in order] == [
        [one.tokens for one in found] for found in back
    ]


@given(seed=st.integers(0, 10_000), beams=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_torch_and_numpy_agree(seed, beams):
    torch = pytest.importorskip("torch")
    tables, rules = random_tables(seed, batch=3, vocabulary=9), Rules(START, END, 7, (START,), (C,))
    step, state = markov(torch.from_numpy(tables))
    # An engine runs in inference mode, the search outside it; PyTorch then forbids to change the engine's tensors.
    there = beam_search(torch.inference_mode()(step), state, beams=beams, rules=rules, nbest=beams)
    here = search(tables, rules, beams=beams, nbest=beams)
    for ours, theirs in zip(itertools.chain(*here), itertools.chain(*there), strict=True):
        assert (ours.tokens, ours.score, ours.log_probs) == (theirs.tokens, theirs.score, theirs.log_probs)
        assert np.array_equal(ours.extras, theirs.extras)
