"""Precision, recall and F1 of words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.overlap import overlap

sentences = st.lists(st.sampled_from("a man dog runs on the green grass".split()), min_size=1, max_size=12)
references = st.lists(sentences, min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(sentences, references, st.randoms())
def test_a_caption_with_the_words_of_a_reference_scores_one_in_any_order(caption, others, random):
    shuffled = random.sample(caption, len(caption))
    assert overlap([shuffled], [[*others, caption]])[0] == pytest.approx([1, 1, 1])


@settings(max_examples=60, deadline=None)
@given(sentences, references, st.randoms())
def test_the_order_of_references_does_not_matter(caption, others, random):
    assert overlap([caption], [others]) == pytest.approx(overlap([caption], [random.sample(others, len(others))]))


@settings(max_examples=60, deadline=None)
@given(sentences, references)
def test_f1_lies_between_precision_and_recall(caption, others):
    precision, recall, f1 = overlap([caption], [others])[0]
    assert min(precision, recall) - 1e-9 <= f1 <= max(precision, recall) + 1e-9


def test_precision_takes_words_from_all_references_and_recall_from_the_best_one():
    caption = "a dog runs there".split()
    truth = ["a dog sits".split(), "the animal runs in a wide green field".split()]
    assert overlap([caption], [truth])[0] == pytest.approx([3 / 4, 2 / 3, 12 / 17])


def test_a_repeated_word_counts_as_often_as_a_reference_has_it():
    assert overlap([["dog"] * 4], [[["dog", "dog"], ["dog"]]])[0] == pytest.approx([0.5, 1, 2 / 3])


def test_an_empty_caption_scores_zero():
    assert overlap([[]], [[["a"]]]).tolist() == [[0, 0, 0]]
