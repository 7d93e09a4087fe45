"""Drift of captions, and the criteria for promotion."""

from types import SimpleNamespace

import pytest

from training.metrics.bootstrap import Comparison
from training.promotion.criteria import TOLERANCE, drift_findings, held_out_findings, validation_finding
from training.promotion.drift import Drift, drift
from training.promotion.held_out import HeldOut


def of(*sentences: str) -> Drift:
    """The drift of an evaluation that said this."""
    examples = [SimpleNamespace(id=str(number)) for number in range(len(sentences))]
    return drift(SimpleNamespace(examples=examples, words=lambda id: sentences[int(id)].split()))


def bad(before: Drift, after: Drift) -> list[str]:
    return [finding.what for finding in drift_findings(before, after, TOLERANCE) if not finding.good]


PLAIN = tuple(
    f"a {colour} dog runs over the {place}"
    for colour in ("brown", "black", "white")
    for place in ("grass", "sand", "street", "hill", "field", "snow", "road", "beach", "path", "bridge")
)


def test_the_figures_are_those_of_the_sentences():
    assert of("a dog runs", "a dog runs", "two dogs", "a red ball") == Drift(
        length=2.75, vocabulary=7, distinct=0.75, commonest=1.0, repeats=0.0, cut_off=0.0
    )


@pytest.mark.parametrize("sentence", ["a dog dog runs", "on the grass on the grass"])
def test_a_word_twice_in_a_row_or_two_words_twice_are_repeats(sentence):
    assert of(sentence).repeats == 1


@pytest.mark.parametrize("sentence", ["a dog on a", "a man with", ""])
def test_a_sentence_that_ends_in_mid_phrase_is_cut_off(sentence):
    assert of(sentence).cut_off == 1


def test_no_drift_passes():
    assert bad(of(*PLAIN), of(*PLAIN)) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: " ".join(text.split()[:3]), "length"),
        (lambda text: f"{text} near some people in the far background", "length"),
        (lambda text: "a black dog runs over the grass", "vocabulary"),
        (lambda text: "a black dog runs over the grass", "sameness"),
        (lambda text: f"{text} {text}", "repeats"),
        (lambda text: f"{text} with a", "breaking off"),
    ],
)
def test_each_kind_of_drift_fails(change, what):
    assert what in bad(of(*PLAIN), of(*map(change, PLAIN)))


def test_validation_may_fall_a_little_but_not_more():
    little, much = (Comparison(loss, loss - 0.01, loss + 0.01, 0.0) for loss in (-0.029, -0.031))
    assert validation_finding("validation", little, 0.03).good
    assert not validation_finding("validation", much, 0.03).good


def heard(corrections=0.2, wins=1.0, thumbs=0.1, again=(0.5, 0.1), count=20) -> list[str]:
    """What is found bad about such held-out feedback."""
    compared = Comparison(corrections, corrections - 0.1, corrections + 0.1, wins)
    voted = Comparison(thumbs, thumbs - 0.05, thumbs + 0.05, 0.9)
    counts = {"corrections": count, "votes": 30, "disliked": 10}
    found = held_out_findings(HeldOut(counts, compared, None, voted, again), TOLERANCE)
    return [finding.what for finding in found if not finding.good]


def test_a_gain_on_held_out_feedback_passes():
    assert heard() == []


@pytest.mark.parametrize(
    ("figures", "what"),
    [
        ({"corrections": 0.01, "wins": 0.6}, "held-out corrections"),
        ({"thumbs": -0.2}, "held-out thumbs"),
        ({"again": (0.1, 0.5)}, "disliked captions"),
        ({"count": 9}, "held-out feedback"),
    ],
)
def test_no_gain_on_held_out_feedback_fails(figures, what):
    assert heard(**figures) == [what]


def test_too_little_held_out_feedback_fails():
    nothing = HeldOut({"corrections": 0, "votes": 0, "disliked": 0}, None, None, None, None)
    assert [finding.good for finding in held_out_findings(nothing, TOLERANCE)] == [False]
