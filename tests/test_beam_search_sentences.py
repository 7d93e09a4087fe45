"""The sentences of beam search: the rules that they keep, how they end, and when the search stops."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beam_search import beam_search
from model.hypotheses import Rules
from tests.support.beam_tables import is_legal, markov, random_tables, search

START, END = 0, 1
A, B, C = 2, 3, 4


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_log_probs_and_extras_belong_to_the_words(seed):
    [table] = random_tables(seed, batch=1, vocabulary=9)
    rules = Rules(START, END, 6, (START,), (C,))
    for one in search(table[None], rules, beams=4, nbest=4)[0]:
        path = [START, *one.tokens, END]
        assert one.log_probs == tuple(float(table[here, there]) for here, there in itertools.pairwise(path))
        assert np.array_equal(one.extras, table[path[:-1]])  # here the extra is the row that was read
        assert one.score == pytest.approx(sum(one.log_probs) / len(one.tokens) ** rules.length_penalty)


@given(seed=st.integers(0, 10_000), beams=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_every_sentence_keeps_the_rules(seed, beams):
    tables = random_tables(seed, batch=4, vocabulary=8)
    rules = Rules(START, END, 12, (START, A), (B, C))
    for found in search(tables, rules, beams=beams, nbest=beams):
        assert found
        assert len({one.tokens for one in found}) == len(found)
        for one in found:
            assert 1 <= len(one.tokens) <= 12
            assert not {START, END, A} & set(one.tokens)
            assert is_legal(one.tokens, rules)


def likely(path: list[int], vocabulary: int = 8) -> np.ndarray:
    """A table (1, vocabulary, vocabulary) that follows the path with probability 0.9 a word."""
    table = np.full((vocabulary, vocabulary), 0.1 / (vocabulary - 1), dtype=np.float32)
    for here, there in itertools.pairwise(path):
        table[here] = 0.1 / (vocabulary - 1)
        table[here, there] = 0.9
    return np.log(table)[None]


@pytest.mark.parametrize("beams", [1, 3])
def test_a_sentence_cut_at_the_limit_loses_its_dangling_tail(beams):
    a, man, in_, the, park = 2, 3, 4, 5, 6  # "a man in the" + "park" is one word too long
    table = likely([START, a, man, in_, the, park, END])
    rules = Rules(START, END, 4, (START,), (a, in_, the))
    [[one, *_]] = search(table, rules, beams=beams)
    assert one.tokens == (a, man)
    assert one.log_probs[-1] == table[0, man, END]


def test_a_sentence_of_nothing_but_dangling_words_is_not_empty():
    rules = Rules(START, END, 3, (START,), (A, B, C), no_repeat_ngram=0)
    [found] = search(random_tables(1, batch=1, vocabulary=5), rules, beams=2)
    assert [len(one.tokens) for one in found] == [3]


def test_a_loop_is_left_at_the_third_word():
    table = likely([START, A, B, A])  # A B A B A B ...: "A B A" may occur once
    [[one]] = search(table, Rules(START, END, 9, (START,), length_penalty=0), beams=1)
    trigrams = list(zip(one.tokens, one.tokens[1:], one.tokens[2:], strict=False))
    assert one.tokens[:4] == (A, B, A, B)
    assert len(set(trigrams)) == len(trigrams)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_word_that_would_follow_itself_gives_way_to_the_next_likeliest(beams):
    a, red, car = 2, 3, 4
    table = likely([START, a, red, red, END])
    table[0, red, [red, car]] = np.log([0.8, 0.1])
    table[0, car] = likely([car, END])[0, car]
    told = [
        search(table, Rules(START, END, 9, (START,), (a, red), no_double_word=rule), beams=beams)[0][0].tokens
        for rule in (False, True)
    ]
    assert told == [(a, red, red, red, car), (a, red, car)]


def test_a_search_stops_when_nothing_better_can_come():
    calls = []
    step, state = markov(likely([START, A, B, END]))
    beam_search(
        lambda tokens, state: (calls.append(tokens.shape), step(tokens, state))[1],
        state,
        beams=2,
        rules=Rules(START, END, 20, (START,)),
    )
    assert calls[0] == (1, 1)
    assert 3 <= len(calls) <= 5


def test_a_longer_sentence_wins_when_its_words_are_likelier_on_average():
    table = np.full((1, 6, 6), 1e-9, dtype=np.float32)
    table[0, START, A] = 1
    table[0, A, [END, B]] = 0.6, 0.4  # ends at once with 0.6, or goes on surely: 0.4 over five words
    for here, there in ((B, C), (C, 5)):
        table[0, here, there] = 1
    table[0, 5, END] = 1
    short, long = (
        search(np.log(table), Rules(START, END, 8, (START,), length_penalty=alpha), beams=2)[0][0] for alpha in (0, 1)
    )
    assert (short.tokens, long.tokens) == ((A,), (A, B, C, 5))


def test_what_the_step_function_gives_is_not_changed():
    table = random_tables(0, batch=1, vocabulary=5)[:, 0][:, None]  # (1, 1, 5), the same at every step
    before = table.copy()
    beam_search(
        lambda tokens, state: (table, state, None), {"x": before}, beams=1, rules=Rules(START, END, 4, (START,))
    )
    assert np.array_equal(table, before)


def test_more_sentences_than_beams_is_an_error():
    with pytest.raises(ValueError, match="nbest must be from 1 to beams"):
        search(random_tables(0, 1, 5), Rules(START, END, 3), beams=2, nbest=3)
