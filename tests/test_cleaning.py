"""Cleaning captions: tokens, and which captions are dropped."""

import pytest

from training.data import cleaning
from training.data.cleaning import mentions_side
from training.data.raw import RawPhoto
from training.data.report import Report


@pytest.fixture
def report():
    return Report("here", "custom")


def clean(captions, photo, split, report, sources=()):
    return tuple(words for words, _ in cleaning.clean(RawPhoto(photo, captions, split, [*sources]), split, report))


def test_captions_become_words_in_their_order(report):
    assert clean(["A dog .", "The cat sleeps!"], "1.jpg", "train", report) == (("a", "dog"), ("the", "cat", "sleeps"))
    assert report.dropped == {}


def test_captions_without_words_are_dropped_everywhere(report):
    assert clean(["", " . ", "A dog"], "1.jpg", "test", report) == (("a", "dog"),)
    assert report.dropped == {"caption without words": ["1.jpg", "1.jpg"]}


def test_training_captions_that_are_no_sentence_are_dropped(report):
    assert clean(["Dog.", "A dog"], "1.jpg", "train", report) == (("a", "dog"),)
    assert report.dropped == {"training caption that is no sentence": ["1.jpg (dog)"]}


def test_two_words_are_a_sentence_only_if_a_person_wrote_them(report):
    sources = ["human", "machine", "derived"]
    kept = cleaning.clean(RawPhoto("1.jpg", ["Dogs run", "Red trees", "A red tree"], "train", sources), "train", report)
    assert kept == [(("dogs", "run"), "human"), (("a", "red", "tree"), "derived")]
    assert report.dropped == {"training caption that is no sentence": ["1.jpg (red trees)"]}


def test_a_repeated_training_caption_is_kept_once(report):
    assert clean(["A dog", "a dog.", "A cat"], "1.jpg", "train", report) == (("a", "dog"), ("a", "cat"))
    assert report.dropped == {"training caption that repeats another of its photo": ["1.jpg"]}


@pytest.mark.parametrize("split", ["val", "test"])
def test_references_stay_as_published(report, split):
    assert clean(["Dog.", "A dog", "A dog"], "1.jpg", split, report) == (("dog",), ("a", "dog"), ("a", "dog"))


def test_long_captions_are_kept_whole(report):
    assert len(clean(["dog " * 200], "1.jpg", "train", report)[0]) == 200


@pytest.mark.parametrize(
    "caption", ["A man turns left", "the RIGHT hand", "a left-handed pitcher", ("to", "the", "left")]
)
def test_captions_that_mention_a_side_are_found(caption):
    assert mentions_side(caption)


@pytest.mark.parametrize("caption", ["A bright dog", "an upright bear", ("a", "cleft")])
def test_other_captions_mention_no_side(caption):
    assert not mentions_side(caption)
