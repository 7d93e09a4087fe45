"""Word vectors from a text file take the place of random ones."""

from pathlib import Path

import pytest
import torch

from model.errors import BadData
from model.vocabulary import SPECIAL, Vocabulary
from training.captioning.word_vectors import load_word_vectors

VOCABULARY = Vocabulary([*SPECIAL, "dog", "cat", "at"])
DOG, CAT, AT = 4, 5, 6


def weights() -> "torch.Tensor":
    return torch.randn(len(VOCABULARY), 3, generator=torch.Generator().manual_seed(1))


def file(folder: Path, text: str) -> Path:
    path = folder / "glove.txt"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_known_words_take_the_direction_of_their_vector(tmp_path):
    weight = weights()
    assert load_word_vectors(file(tmp_path, "the 1 1 1\ndog 3 0 4\ncat 0 -1 0\n"), VOCABULARY, weight) == 2
    direction = weight[DOG] / weight[DOG].norm()
    torch.testing.assert_close(direction, torch.tensor([0.6, 0.0, 0.8]))


def test_other_words_keep_their_random_vector(tmp_path):
    weight = weights()
    load_word_vectors(file(tmp_path, "dog 3 0 4\n"), VOCABULARY, weight)
    assert torch.equal(weight[CAT], weights()[CAT])


def test_vectors_are_scaled_to_the_mean_length_of_the_random_ones(tmp_path):
    weight = weights()
    load_word_vectors(file(tmp_path, "dog 30 0 40\ncat 0 50 0\n"), VOCABULARY, weight)
    mean = weights().norm(dim=1).mean()
    torch.testing.assert_close(weight[[DOG, CAT]].norm(dim=1), mean.expand(2))


def test_a_word_with_spaces_is_not_its_first_part(tmp_path):
    weight = weights()
    assert load_word_vectors(file(tmp_path, "dog 3 0 4\nat name@domain.com 1 2 3\n"), VOCABULARY, weight) == 1
    assert torch.equal(weight[AT], weights()[AT])


def test_the_header_of_word2vec_is_skipped(tmp_path):
    assert load_word_vectors(file(tmp_path, "2 3\ndog 3 0 4\ncat 0 -1 0\n"), VOCABULARY, weights()) == 2


def test_vectors_of_another_size_name_the_setting(tmp_path):
    path = file(tmp_path, "dog 1 2 3 4\n")
    with pytest.raises(BadData, match="set embedding=4"):
        load_word_vectors(path, VOCABULARY, weights())


@pytest.mark.parametrize("line", ["cat 1 2", "cat 1 2 x", "cat"])
def test_a_damaged_line_is_named(tmp_path, line):
    path = file(tmp_path, f"dog 1 2 3\n{line}\n")
    with pytest.raises(BadData, match="line 2"):
        load_word_vectors(path, VOCABULARY, weights())


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(BadData, match="--set word_vectors=FILE"):
        load_word_vectors(tmp_path / "none.txt", VOCABULARY, weights())


def test_an_empty_file_is_an_error(tmp_path):
    path = file(tmp_path, "")
    with pytest.raises(BadData, match="no word vectors"):
        load_word_vectors(path, VOCABULARY, weights())
