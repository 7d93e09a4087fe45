"""Feedback as tensors: the sentences about each photo of a batch, what votes weigh, and which is better than which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from model.vocabulary import Vocabulary
from training.data import Example
from training.feedback import Rated
from training.objectives import as_tensor


@dataclass(frozen=True)
class Lesson:
    """What one photo teaches. Sentences are word ids, each there once."""

    example: Example
    sentences: list[list[int]]
    up: list[float]  # votes for and against each sentence
    down: list[float]
    written: list[bool]  # by a person, as a correction
    pairs: list[tuple[int, int]]  # a correction and the sentence that it corrects


@dataclass(frozen=True)
class Batch:
    """Lessons of B photos with up to K sentences of T words. Where a photo has fewer, all is 0."""

    given: Tensor  # (B, K, T), from `as_tensor`
    wanted: Tensor
    up: Tensor  # (B, K)
    down: Tensor
    written: Tensor  # (B, K), 1 or 0
    better: Tensor  # (N,), places of pairs among the B * K sentences
    worse: Tensor

    @classmethod
    def of(cls, lessons: Sequence[Lesson], max_words: int, device: torch.device) -> Self:
        given, wanted = as_tensor([lesson.sentences for lesson in lessons], max_words)
        count = given.shape[1]

        def padded(rows: Sequence[Sequence[float]]) -> Tensor:
            return torch.tensor([[*row, *[0.0] * (count - len(row))] for row in rows], device=device)

        places = [(count * b + i, count * b + j) for b, lesson in enumerate(lessons) for i, j in lesson.pairs]
        better, worse = torch.tensor(places, dtype=torch.long, device=device).view(-1, 2).unbind(1)
        return cls(
            given.to(device),
            wanted.to(device),
            padded([lesson.up for lesson in lessons]),
            padded([lesson.down for lesson in lessons]),
            padded([lesson.written for lesson in lessons]),
            better,
            worse,
        )


def lessons_from(rated: Sequence[Rated], photos: Sequence[Example], vocabulary: Vocabulary) -> list[Lesson]:
    """One for each of these photos, in their order."""
    by_photo: dict[str, list[Rated]] = {example.id: [] for example in photos}
    for one in rated:
        if one.photo in by_photo:
            by_photo[one.photo].append(one)
    return [_lesson(example, by_photo[example.id], vocabulary) for example in photos]


def _lesson(example: Example, rated: Sequence[Rated], vocabulary: Vocabulary) -> Lesson:
    lesson = Lesson(example, [], [], [], [], [])

    def place(words: Sequence[str]) -> int:
        ids = vocabulary.encode(words)
        if ids not in lesson.sentences:
            lesson.sentences.append(ids)
            for weights in (lesson.up, lesson.down):
                weights.append(0.0)
            lesson.written.append(False)
        return lesson.sentences.index(ids)

    for one in rated:
        shown = place(one.words)
        lesson.up[shown] += one.up
        lesson.down[shown] += one.down
        for words in one.corrections:
            better = place(words)
            lesson.written[better] = True
            if better != shown and (better, shown) not in lesson.pairs:
                lesson.pairs.append((better, shown))
    return lesson
