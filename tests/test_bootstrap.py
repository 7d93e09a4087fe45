"""Intervals by resampling photos."""

import numpy as np
import pytest

from training.metrics.bleu import bleu, bleu_of_totals, bleu_statistics
from training.metrics.bootstrap import compare, interval, resample

SCORES = np.random.default_rng(1).gamma(2.0, 0.3, size=400)


def bleu_4(totals: np.ndarray) -> np.ndarray:
    return bleu_of_totals(totals)[..., 3]


def test_every_draw_has_as_many_photos_as_there_are():
    draws = resample(50, 20, seed=0)
    assert draws.shape == (20, 50)
    assert (draws.sum(axis=1) == 50).all()


def test_the_same_seed_draws_the_same_photos():
    assert (resample(50, 20, seed=3) == resample(50, 20, seed=3)).all()
    assert (resample(50, 20, seed=3) != resample(50, 20, seed=4)).any()


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    value, low, high = interval(SCORES, resample(400, 2000, seed=0))
    assert value == pytest.approx(SCORES.mean())
    assert low < value < high
    assert high - low == pytest.approx(2 * 1.96 * SCORES.std() / np.sqrt(400), rel=0.1)


def test_bleu_of_a_draw_is_that_of_the_photos_drawn():
    captions = [line.split() for line in ("a dog runs on the grass", "a man in a hat sits", "two birds fly over it")]
    truth = [["the dog runs on the grass".split()], ["a man in a hat".split()], ["birds fly over it all".split()]]
    drawn = [2, 0, 2]
    expected = bleu([captions[n] for n in drawn], [truth[n] for n in drawn])[3]
    value, low, high = interval(bleu_statistics(captions, truth), np.array([[1.0, 0.0, 2.0]]), bleu_4)
    assert low == high == pytest.approx(expected)
    assert value == pytest.approx(bleu(captions, truth)[3])


def test_a_system_does_not_win_against_itself():
    assert compare(SCORES, SCORES, resample(400, 100, seed=0)) == (0, 0, 0, 0)


def test_a_system_better_on_every_photo_wins_every_draw():
    difference, low, high, wins = compare(SCORES + 0.1, SCORES, resample(400, 100, seed=0))
    assert (difference, low, high) == pytest.approx((0.1, 0.1, 0.1))
    assert wins == 1


def test_pairing_makes_the_interval_of_a_difference_narrow():
    """Two systems that find the same photos hard: drawn apart, the difference would drown."""
    draws = resample(400, 500, seed=0)
    noise = np.random.default_rng(2).normal(0.02, 0.05, size=400)
    paired, alone = compare(SCORES + noise, SCORES, draws), interval(SCORES, draws)
    assert 0 < paired.low < paired.difference < paired.high
    assert paired.high - paired.low < (alone.high - alone.low) / 4


def test_systems_scored_on_different_photos_cannot_be_compared():
    with pytest.raises(ValueError, match="same photos, not 400 and 399"):
        compare(SCORES, SCORES[1:], resample(400, 10, seed=0))
