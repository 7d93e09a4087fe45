"""BLEU: properties that hold for any sentences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.bleu import bleu, bleu_of_totals, bleu_statistics, smoothed_bleu

words = st.sampled_from("a man dog runs on the green grass".split())
sentences = st.lists(words, min_size=1, max_size=12)
references = st.lists(sentences, min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=4, max_size=12), references)
def test_a_caption_equal_to_a_reference_scores_one(caption, others):
    assert bleu([caption], [[*others, caption]]) == pytest.approx([1, 1, 1, 1])
    assert smoothed_bleu([caption], [[*others, caption]]) == pytest.approx([1])


@settings(max_examples=60, deadline=None)
@given(sentences, references, st.randoms())
def test_the_order_of_references_does_not_matter(caption, others, random):
    shuffled = random.sample(others, len(others))
    assert (bleu_statistics([caption], [others]) == bleu_statistics([caption], [shuffled])).all()


@settings(max_examples=60, deadline=None)
@given(sentences, references, sentences)
def test_another_reference_never_takes_a_match_away(caption, others, more):
    before, after = bleu_statistics([caption], [others])[0], bleu_statistics([caption], [[*others, more]])[0]
    assert (after[:4] >= before[:4]).all()


def test_words_in_common_are_counted_as_often_as_a_reference_has_them():
    caption, reference = "the the the the".split(), "the cat is on the mat".split()
    assert bleu_statistics([caption], [[reference]])[0].tolist() == [2, 0, 0, 0, 4, 3, 2, 1, 6]


def test_the_closest_reference_length_counts_the_shorter_of_two():
    assert bleu_statistics([["a"] * 5], [[["a"] * 7, ["a"] * 3, ["a"] * 9]])[0, 8] == 3


def test_a_short_caption_pays_the_brevity_penalty():
    assert bleu([["a", "dog"]], [[["a", "dog", "runs", "fast"]]])[0] == pytest.approx(np.exp(-1))


def test_rows_of_statistics_add_up_to_the_corpus():
    captions = ["a dog runs on the grass".split(), "a man".split()]
    truth = [["the dog runs on grass".split()], ["a man sits".split(), "one man".split()]]
    rows = bleu_statistics(captions, truth)
    twice_the_first = bleu([captions[0], *captions], [truth[0], *truth])
    assert bleu_of_totals(np.array([2, 1]) @ rows) == pytest.approx(twice_the_first)


def test_smoothing_gives_a_caption_without_a_common_trigram_more_than_nothing():
    caption, truth = "a dog sits there".split(), ["a dog runs on grass".split()]
    expected = np.exp(1 - 5 / 4) * (2 / 4 * 1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25
    assert smoothed_bleu([caption], [truth]) == pytest.approx([expected])
    assert bleu([caption], [truth])[3] < 1e-3


def test_a_caption_with_no_word_in_common_scores_zero():
    assert smoothed_bleu([["x", "y"], []], [[["a", "b"]], [["a"]]]).tolist() == [0, 0]
