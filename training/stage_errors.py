"""How far a student's feature maps are from its teacher's, stage by stage (after Romero et al. 2015, "FitNets").

Channels differ in scale by orders of magnitude, so each one's squared error is divided by its second moment in the
teacher: 0 is a perfect copy, 1 is what maps of zeros would get.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.encoders import Encoder, normalise
from model.errors import BadRecipe

STAGES = ("stem", "stage_1", "stage_2", "stage_3", "stage_4")
LEAST = 0.01  # of the stage's mean second moment; a channel that is nearly always off must not outweigh the others

StageMaps = Callable[[Tensor], list[Tensor]]


def stage_maps(teacher: nn.Module) -> StageMaps:
    """What gives a network's five feature maps: an encoder's `stages`, or a teacher of one's own as it stands."""
    return teacher.stages if isinstance(teacher, Encoder) else teacher


def maps_alone(student: Encoder, photos: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """The student's maps when each stage is given the teacher's map before it, so that all stages learn at once."""
    stages = (student.layer1, student.layer2, student.layer3, student.layer4)
    return [student.stem(photos), *(stage(before) for stage, before in zip(stages, wanted, strict=False))]


def stage_errors(given: Sequence[Tensor], wanted: Sequence[Tensor], moments: Sequence[Tensor]) -> Tensor:
    """(5,) mean over channels of the squared error over the second moment. Maps (B, C, h, w), moments (C,)."""
    return torch.stack(
        [
            ((ours.float() - theirs.float()).square().mean((0, 2, 3)) / moment).mean()
            for ours, theirs, moment in zip(given, wanted, moments, strict=True)
        ]
    )


def pooled_cosine(given: Tensor, wanted: Tensor) -> Tensor:
    """(B,) cosine of the maps' means over cells (B, C, h, w): of what a decoder without attention would see."""
    return F.cosine_similarity(given.float().mean((2, 3)), wanted.float().mean((2, 3)))


@torch.no_grad()
def second_moments(maps: StageMaps, batches: Iterable[Tensor], student: Encoder) -> list[Tensor]:
    """Five of (C,): mean square of each channel of the teacher's maps over uint8 photos (B, H, W, 3).

    Raises BadRecipe if the teacher's maps are not those that a student of this architecture can learn.
    """
    sums: list[Tensor] = []
    count = 0
    for photos in batches:
        found = maps(normalise(photos))
        if not count:
            _check(found, student.stages(normalise(photos[:1])))
        squares = [stage.float().square().mean((2, 3)).sum(0) for stage in found]
        sums = [one + other for one, other in zip(sums, squares, strict=True)] if count else squares
        count += len(photos)
    return [(total / count).clamp(min=(LEAST * total.mean() / count).item()) for total in sums]


def _check(found: object, wanted: list[Tensor]) -> None:
    shapes = [tuple(stage.shape[1:]) for stage in found] if isinstance(found, list | tuple) else type(found).__name__
    needed = [tuple(stage.shape[1:]) for stage in wanted]
    if shapes != needed:
        raise BadRecipe(f"the teacher gives {shapes}; a ResNet50 learns a list of five maps (C, h, w): {needed}")
