"""Common objects in captions: which ones are named, and which of them no reference names."""

import pytest

from training.metrics.objects import Reliability, hallucinated, objects_in, reliability


def words(*sentences: str) -> list[list[str]]:
    return [sentence.split() for sentence in sentences]


@pytest.mark.parametrize(
    ("caption", "objects"),
    [
        ("a kitten and two puppies", {"cat", "dog"}),
        ("a hot dog on a plate", {"hot dog", "plate"}),
        ("children hug teddy bears", {"person", "teddy bear"}),
        ("buses and benches", {"bus", "bench"}),
        ("a chicken", {"bird", "meat"}),
        ("the orange light of the morning", set()),
        ("", set()),
    ],
)
def test_objects_are_named_by_synonyms_plurals_and_pairs_of_words(caption, objects):
    assert objects_in(caption.split()) == objects


CAPTIONS = words("a dog on a bed", "a cat", "a cat on a bed", "grass")
REFERENCES = [
    words("a cat on a bed", "an animal sleeps"),
    words("a kitten", "a small cat"),
    words("a kitten", "blankets"),
    words("a dog", "a puppy on grass"),
]


def test_a_caption_hallucinates_if_it_names_an_object_that_no_reference_names():
    assert hallucinated(CAPTIONS, REFERENCES).tolist() == [1, 0, 1, 0]


def test_the_reliability_of_each_object_counts_where_it_is_and_elsewhere():
    assert reliability(CAPTIONS, REFERENCES) == [
        Reliability("cat", 3, 2, 1, 0),
        Reliability("bed", 1, 1, 3, 1),
        Reliability("dog", 1, 0, 3, 1),
    ]
