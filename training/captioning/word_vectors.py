"""Pretrained word vectors from a GloVe text file (Pennington et al. 2014): a word and its numbers on each line."""

from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor

from model.errors import BadData
from model.vocabulary import Vocabulary


def load_word_vectors(path: Path, vocabulary: Vocabulary, weight: Tensor) -> int:
    """Overwrite the rows of an embedding matrix whose words the file has; the others stay random.

    The vectors are scaled to the mean length of the random ones, because the same matrix is the output layer.

    Args:
        weight: the matrix (V, E), changed in place.

    Returns:
        How many rows were overwritten.

    Raises:
        BadData: the file is missing, its vectors are not of size E, or a line is damaged.
    """
    if not path.is_file():
        raise BadData(f"no word vectors at {path}; download a GloVe text file and name it with --set word_vectors=FILE")
    rows = {word: number for number, word in enumerate(vocabulary.words)}
    found: dict[int, list[float]] = {}
    size = _size(path)
    if size != weight.shape[1]:
        raise BadData(f"{path} has vectors of {size}; set embedding={size} in the recipe")
    with _lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.rstrip().partition(" ")[0] not in rows:
                continue
            # From the right: some words hold spaces, and the vector of "at name@domain.com" is not that of "at".
            word, *numbers = line.rstrip().rsplit(" ", size)
            if word in rows:
                try:
                    found[rows[word]] = [float(text) for text in numbers]
                except ValueError:
                    numbers = []
                if len(numbers) < size:
                    raise BadData(
                        f"{path}, line {number}: {word!r} without its {size} numbers; download the file again"
                    )
    if found:
        vectors = torch.tensor(list(found.values()))
        scale = weight.norm(dim=1).mean() / vectors.norm(dim=1).mean()
        with torch.no_grad():
            weight[list(found)] = (vectors * scale).to(weight)
    return len(found)


def _size(path: Path) -> int:
    """How many numbers follow a word. A first line of two fields is the header of word2vec's text format."""
    with _lines(path) as lines:
        for _, line in zip(range(2), lines, strict=False):
            if (fields := line.rstrip().count(" ")) > 1:
                return fields
    raise BadData(f"{path} holds no word vectors; it needs a word and its numbers on each line")


def _lines(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace", newline="\n")  # other line ends may be part of a word
