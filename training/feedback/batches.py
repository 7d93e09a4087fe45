"""Feedback as tensors: the sentences about each photo of a batch, the weights of votes, and preference pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from model.vocabulary import Vocabulary
from training.captioning.losses import as_tensor
from training.data import Example
from training.feedback.dataset import Rated


@dataclass(frozen=True)
class PhotoFeedback:
    """The feedback about one photo. Sentences are word ids, each once."""

    example: Example
    sentences: list[list[int]]
    up: list[float]  # votes for and against each sentence
    down: list[float]
    is_correction: list[bool]
    pairs: list[tuple[int, int]]  # indices of a correction and of the sentence that it corrects


@dataclass(frozen=True)
class Batch:
    """The feedback about B photos with up to K sentences of T words; padded with 0."""

    inputs: Tensor  # (B, K, T), from `as_tensor`
    targets: Tensor
    up: Tensor  # (B, K)
    down: Tensor
    is_correction: Tensor  # (B, K), 1 or 0
    preferred: Tensor  # (N,), the better sentence of each pair, as an index into the B * K sentences
    rejected: Tensor  # (N,), the worse one

    @classmethod
    def of(cls, feedback: Sequence[PhotoFeedback], max_words: int, device: torch.device) -> Self:
        inputs, targets = as_tensor([one.sentences for one in feedback], max_words)
        count = inputs.shape[1]

        def padded(rows: Sequence[Sequence[float]]) -> Tensor:
            return torch.tensor([[*row, *[0.0] * (count - len(row))] for row in rows], device=device)

        places = [(count * b + i, count * b + j) for b, one in enumerate(feedback) for i, j in one.pairs]
        preferred, rejected = torch.tensor(places, dtype=torch.long, device=device).view(-1, 2).unbind(1)
        return cls(
            inputs.to(device),
            targets.to(device),
            padded([one.up for one in feedback]),
            padded([one.down for one in feedback]),
            padded([one.is_correction for one in feedback]),
            preferred,
            rejected,
        )


def feedback_by_photo(rated: Sequence[Rated], photos: Sequence[Example], vocabulary: Vocabulary) -> list[PhotoFeedback]:
    """Group feedback by photo, in the order of `photos`."""
    by_photo: dict[str, list[Rated]] = {example.id: [] for example in photos}
    for one in rated:
        if one.photo in by_photo:
            by_photo[one.photo].append(one)
    return [_photo_feedback(example, by_photo[example.id], vocabulary) for example in photos]


def _photo_feedback(example: Example, rated: Sequence[Rated], vocabulary: Vocabulary) -> PhotoFeedback:
    one = PhotoFeedback(example, [], [], [], [], [])

    def place(words: Sequence[str]) -> int:
        ids = vocabulary.encode(words)
        if ids not in one.sentences:
            one.sentences.append(ids)
            for weights in (one.up, one.down):
                weights.append(0.0)
            one.is_correction.append(False)
        return one.sentences.index(ids)

    for shown_caption in rated:
        shown = place(shown_caption.words)
        one.up[shown] += shown_caption.up
        one.down[shown] += shown_caption.down
        for words in shown_caption.corrections:
            preferred = place(words)
            one.is_correction[preferred] = True
            if preferred != shown and (preferred, shown) not in one.pairs:
                one.pairs.append((preferred, shown))
    return one
