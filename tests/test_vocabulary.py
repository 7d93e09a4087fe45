"""The vocabulary: which words it keeps, and encoding and decoding."""

import pytest

from model.errors import DamagedModel
from model.vocabulary import END, PAD, SPECIAL, START, UNK, Vocabulary


def vocabulary(*words: str) -> Vocabulary:
    return Vocabulary([*SPECIAL, *words])


def test_words_seen_often_enough_are_kept_most_frequent_first_then_in_alphabetical_order():
    sentences = [["dog", "runs"], ["dog", "jumps"], ["dog", "jumps", "runs"], ["once"]]
    assert Vocabulary.build(sentences, min_count=2).words == (*SPECIAL, "dog", "jumps", "runs")


def test_a_special_word_in_a_sentence_is_not_listed_twice():
    assert Vocabulary.build([["<end>", "dog"]], min_count=1).words == (*SPECIAL, "dog")


def test_encoding_and_decoding_give_the_words_back():
    words = vocabulary("a", "dog")
    assert words.decode(words.encode(["a", "dog", "a"])) == ["a", "dog", "a"]


def test_an_unknown_word_is_encoded_as_unk():
    assert vocabulary("dog").encode(["cat", "dog"]) == [UNK, 4]


def test_decoding_stops_at_the_end_and_skips_start_and_padding():
    assert vocabulary("dog").decode([START, 4, PAD, END, 4]) == ["dog"]


def test_a_saved_vocabulary_is_loaded_as_it_was(tmp_path):
    vocabulary("naïve", "犬", 'quote"d').save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json").words == (*SPECIAL, "naïve", "犬", 'quote"d')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'["<pad>", "<sta', "not a vocabulary"),
        (b"\xff\xfe", "not a vocabulary"),
        (b'{"dog": 4}', "a JSON list of words"),
        (b'["<pad>", "<start>", "<end>", "<unk>", 5]', "a JSON list of words"),
        (b'["dog"]', "must begin with <pad> <start> <end> <unk>"),
        (b'["<pad>", "<start>", "<end>", "<unk>", "dog", "dog"]', "each word once"),
    ],
)
def test_a_damaged_vocabulary_is_named_with_its_damage(tmp_path, content, message):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(DamagedModel, match=message) as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value)
