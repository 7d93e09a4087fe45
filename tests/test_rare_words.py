"""Decoders that say rare words more often."""

import numpy as np
import pytest

from model.vocabulary import Vocabulary
from training.packaging.rare_words import BIAS, favour_rare_words

CAPTIONS = [["dog"]] * 100 + [["poodle"]]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.build([*CAPTIONS, ["unseen"]], 1)


def adjusted(vocabulary: Vocabulary, tau: float) -> np.ndarray:
    decoder = {BIAS: np.zeros(len(vocabulary), np.float32), "other": np.ones(3, np.float32)}
    found = favour_rare_words(decoder, vocabulary, CAPTIONS, tau)
    assert found["other"] is decoder["other"]
    assert found[BIAS].dtype == np.float32
    return found[BIAS]


def test_a_rare_word_gains_on_a_common_one_by_tau_times_the_logarithm_of_their_ratio(vocabulary):
    bias = adjusted(vocabulary, 0.3)
    dog, poodle = vocabulary.encode(["dog", "poodle"])
    assert bias[poodle] - bias[dog] == pytest.approx(0.3 * np.log(100))
    assert bias[poodle] + bias[dog] == pytest.approx(0)


def test_special_tokens_and_words_of_other_captions_stay_as_they_are(vocabulary):
    bias = adjusted(vocabulary, 0.3)
    assert not bias[:4].any()
    assert bias[vocabulary.encode(["unseen"])] == 0


def test_without_strength_or_captions_nothing_changes(vocabulary):
    assert not adjusted(vocabulary, 0).any()
    decoder = {BIAS: np.ones(len(vocabulary), np.float32)}
    np.testing.assert_array_equal(favour_rare_words(decoder, vocabulary, [], 0.3)[BIAS], decoder[BIAS])
