"""Neutral wording: no caption guesses gender or age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.neutral_wording import NEUTRAL, neutral


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a man and two women talk to a little girl", "a person and two people talk to a little child"),
        ("boys play while their mother waves", "children play while their mother waves"),
        ("a guy on his bike", "a person on their bike"),
        ("a man jumps while he is filmed", "a person jumps while they are filmed"),
        ("an old man with an umbrella", "an old person with an umbrella"),
        ("a dog runs through the snow", "a dog runs through the snow"),
        ("a snowman and a policeman", "a snowman and a policeman"),
    ],
)
def test_sex_and_age_are_not_guessed(words, shown):
    assert " ".join(neutral(words.split())) == shown


@given(st.lists(st.sampled_from([*NEUTRAL, "is", "was", "has", "an", "a", "dog", "they"])))
def test_each_word_has_its_word_and_no_guess_is_left(words):
    shown = neutral(words)
    assert len(shown) == len(words)
    assert not {*shown} & {*NEUTRAL}
    assert neutral(shown) == shown
