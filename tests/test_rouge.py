"""ROUGE-L: properties that hold for any sentences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.rouge import rouge_l

sentences = st.lists(st.sampled_from("a man dog runs on the green grass".split()), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(sentences, st.lists(sentences, max_size=4))
def test_a_caption_equal_to_a_reference_scores_one(caption, others):
    assert rouge_l([caption], [[*others, caption]]) == pytest.approx([1])


@settings(max_examples=60, deadline=None)
@given(sentences, st.lists(sentences, min_size=1, max_size=5), st.randoms())
def test_the_order_of_references_does_not_matter(caption, others, random):
    assert rouge_l([caption], [others]) == pytest.approx(rouge_l([caption], [random.sample(others, len(others))]))


@settings(max_examples=60, deadline=None)
@given(sentences, st.lists(sentences, min_size=1, max_size=5), sentences)
def test_another_reference_never_lowers_the_score(caption, others, more):
    assert rouge_l([caption], [[*others, more]])[0] >= rouge_l([caption], [others])[0] - 1e-12


def test_words_in_common_count_only_in_the_same_order():
    assert rouge_l([["dog", "a", "runs"]], [[["a", "dog", "runs"]]]) == pytest.approx([2 / 3])


def test_recall_counts_more_than_precision():
    one, four = ["a"], ["a", "b", "c", "d"]
    assert rouge_l([four], [[one]])[0] > rouge_l([one], [[four]])[0]


def test_an_empty_caption_and_one_with_nothing_in_common_score_zero():
    assert rouge_l([[], ["x"]], [[["a"]], [["a"]]]).tolist() == [0, 0]
