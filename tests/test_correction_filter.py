"""Which corrections are taken, and why others are not."""

import pytest

from db.correction_filter import COPIES, copied_sentences, rejection_reason, words_of

KNOWN = frozenset("a an the brown black dog dogs runs plays in on grass water with two red ball and".split())


@pytest.mark.parametrize(
    "text",
    [
        "A brown dog runs in the grass.",
        "two dogs and a red ball",
        "A dog's ball, on the grass!",
        "Two dogs ... in the water",
    ],
)
def test_a_plain_sentence_is_taken(text):
    assert rejection_reason(text, "A cat.") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a dog", "2 words; 3 to 30 are taken"),
        ("", "0 words"),
        (" ".join(["dog cat"] * 16), "32 words"),
        ("the brown dog " * 20, "longer than 200 characters"),
        ("see www.dogs.example for more", "a link"),
        ("buy this dog at cheapdogs.shop now", "a link"),
        ("https://x.example a dog", "a link"),
        ("a dog for @somebody here", "a mention"),
        ("<@1234567> look at this dog", "a mention"),
        ("a dog #funny and brown", "a mention"),
        ("a dog runs 🐶🐶🐶🐶🐶🐶", "too many signs that are no letters"),
        ("собака бежит по траве", "too many signs that are no letters"),
        ("1 2 3 4 5 6 dogs", "too many signs that are no letters"),
        ("a fucking brown dog", "profanity: fucking"),
        ("a dooooog in the grass", "repeats itself"),
        ("dog dog dog in the grass", "repeats itself"),
        ("a DOG runs", "the same as the caption"),
        ("ein Hund rennt durch das Gras", "words the model does not know: ein, hund, rennt, durch, das, gras"),
    ],
)
def test_what_is_no_caption_is_not_taken_and_the_reason_is_given(text, reason):
    found = rejection_reason(text, "A dog runs.", KNOWN)
    assert found is not None
    assert found.startswith(reason)


def test_a_third_of_the_words_may_be_new_to_the_model():
    assert rejection_reason("a brown labradoodle runs in water", known=KNOWN) is None
    assert rejection_reason("a fluffy labradoodle runs", known=KNOWN) is not None


def test_words_are_lower_case_and_without_marks():
    assert words_of("A dog's T-shirt, size 12!") == ["a", "dog's", "t-shirt", "size", "12"]


def test_a_sentence_for_many_photos_is_found_out_whatever_its_marks_and_case():
    many = [(1, photo, f"Nice photo{'!' * photo}") for photo in range(COPIES + 1)]
    few = [(2, photo, "a brown dog") for photo in range(COPIES)]
    assert copied_sentences([*many, *few]) == {(1, "nice photo")}


def test_the_filter_lets_people_s_captions_of_a_data_set_pass(flickr8k):
    lines = (flickr8k / "Flickr8k.token.txt").read_text().splitlines()[::20]
    refused = [line for line in lines if rejection_reason(line.split("\t")[1])]
    assert len(refused) < 0.005 * len(lines)
