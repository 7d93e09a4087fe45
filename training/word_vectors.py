"""Pretrained word vectors from a GloVe text file (Pennington et al. 2014): a word and its numbers on each line."""

from pathlib import Path

import torch
from torch import Tensor

from model.errors import BadData
from model.vocabulary import Vocabulary


def load_word_vectors(path: Path, vocabulary: Vocabulary, weight: Tensor) -> int:
    """Overwrite the rows of `weight` (V, E) whose words the file knows; returns how many. Others stay random.

    The vectors are scaled to the random ones' mean length, because the same matrix is the output layer.
    Raises BadData if the file is missing or its vectors have another size.
    """
    if not path.is_file():
        raise BadData(f"no word vectors at {path}; download a GloVe text file and name it with --set word_vectors=FILE")
    rows = {word: number for number, word in enumerate(vocabulary.words)}
    found: dict[int, list[float]] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            word, *numbers = line.rstrip().split(" ")
            if word not in rows:
                continue
            if len(numbers) != weight.shape[1]:
                raise BadData(f"{path} has vectors of {len(numbers)}; set embedding={len(numbers)} in the recipe")
            found[rows[word]] = [float(number) for number in numbers]
    if found:
        vectors = torch.tensor(list(found.values()))
        scale = weight.norm(dim=1).mean() / vectors.norm(dim=1).mean()
        with torch.no_grad():
            weight[list(found)] = (vectors * scale).to(weight)
    return len(found)
