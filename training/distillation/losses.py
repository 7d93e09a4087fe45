"""The losses of distillation: errors of feature maps (Romero et al. 2015), divergence of classes (Hinton et al. 2015).

Channels differ in scale by orders of magnitude, so the squared error of each channel is divided by its second moment in
the teacher: 0 is a perfect copy, and maps of zeros have an error of 1.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from model.errors import BadRecipe
from model.pytorch.encoders import Encoder, normalise

STAGES = ("stem", "stage_1", "stage_2", "stage_3", "stage_4")
MIN_MOMENT = 0.01  # share of the stage's mean; without it a channel that is nearly always 0 would outweigh the others

StageMaps = Callable[[Tensor], list[Tensor]]


def maps_from(
    student: Encoder, first: int, before: Tensor, teacher_maps: Sequence[Tensor] | None = None
) -> list[Tensor]:
    """The student's maps of stage `first` and those after it; the stem counts as 0.

    Args:
        before: the input of stage `first`: the map of the stage before, or photos.
        teacher_maps: of the same stages; each stage after `first` gets the teacher's map of the stage before then, not
            the student's.
    """
    stages = (student.stem, student.layer1, student.layer2, student.layer3, student.layer4)
    maps: list[Tensor] = []
    for stage in stages[first:]:
        maps.append(stage(before))
        before = maps[-1] if teacher_maps is None else teacher_maps[len(maps) - 1]
    return maps


def stage_errors(student_maps: Sequence[Tensor], teacher_maps: Sequence[Tensor], moments: Sequence[Tensor]) -> Tensor:
    """Mean over channels of the squared error divided by the second moment, (stages,).

    Args:
        student_maps, teacher_maps: (B, C, h, w) of each stage.
        moments: (C,) of each stage, from `second_moments`.
    """
    return torch.stack(
        [
            ((student_map.float() - teacher_map.float()).square().mean((0, 2, 3)) / moment).mean()
            for student_map, teacher_map, moment in zip(student_maps, teacher_maps, moments, strict=True)
        ]
    )


def class_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """T^2 times the mean Kullback-Leibler divergence of softened class probabilities (Hinton et al. 2015, section 2).

    Args:
        student_logits, teacher_logits: (B, classes).
        temperature: T, which divides the logits.
    """
    student, teacher = ((logits.float() / temperature).log_softmax(1) for logits in (student_logits, teacher_logits))
    return temperature**2 * F.kl_div(student, teacher, log_target=True, reduction="batchmean")


def pooled_cosine(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Cosine similarity (B,) of mean-pooled maps (B, C, h, w): of the features of a decoder without attention."""
    return F.cosine_similarity(student_map.float().mean((2, 3)), teacher_map.float().mean((2, 3)))


@torch.no_grad()
def second_moments(maps: StageMaps, batches: Iterable[Tensor], student: Encoder) -> list[Tensor]:
    """Mean square of each channel of the teacher's maps.

    Args:
        batches: photos, uint8 (B, H, W, 3).

    Returns:
        (C,) of each of the five stages.

    Raises:
        BadRecipe: the teacher's maps have other shapes than the student's.
    """
    sums: list[Tensor] = []
    count = 0
    for photos in batches:
        found = maps(normalise(photos))
        if not count:
            _check_shapes(found, student.stages(normalise(photos[:1])))
        squares = [stage.float().square().mean((2, 3)).sum(0) for stage in found]
        sums = [one + other for one, other in zip(sums, squares, strict=True)] if count else squares
        count += len(photos)
    return [(total / count).clamp(min=(MIN_MOMENT * total.mean() / count).item()) for total in sums]


def _check_shapes(found: object, expected: list[Tensor]) -> None:
    shapes = [tuple(stage.shape[1:]) for stage in found] if isinstance(found, list | tuple) else type(found).__name__
    needed = [tuple(stage.shape[1:]) for stage in expected]
    if shapes != needed:
        raise BadRecipe(f"the teacher gives {shapes}; a ResNet50 learns a list of five maps (C, h, w): {needed}")
