"""Beam search over tables of probabilities that are small enough to try every caption."""

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
