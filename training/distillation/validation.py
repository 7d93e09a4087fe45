"""Validates a student: how close it is to its teacher on whole photos that are not trained on."""

import torch
from torch import Tensor

from model.pytorch.encoders import normalise
from training.distillation.losses import STAGES, class_divergence, pooled_cosine, stage_errors
from training.distillation.state import Distillation

CLASSES, CELLS = "classes", "cell_classes"  # names of the divergences of class probabilities in curves.csv


@torch.inference_mode()
def validate(run: Distillation) -> dict[str, float]:
    """Compare the averaged student with the teacher on held-out photos.

    Returns:
        The errors of the stages and the cosine similarity of the pooled vectors. If the recipe has `classes`, also the
        divergences of class probabilities, and the agreement on held-out and on the data sets' validation photos.
    """
    names = (*STAGES, CLASSES, CELLS, "cosine")
    sums = torch.zeros(len(names), device=run.device)
    for part in run.pool.held_out.split(run.recipe.batch):
        student_maps, teacher_maps = _maps(run, part)
        errors = stage_errors(student_maps, teacher_maps, run.moments)
        divergences = class_errors(run, student_maps[-1], teacher_maps[-1])
        cosine = pooled_cosine(student_maps[-1], teacher_maps[-1]).mean()
        sums += len(part) * torch.cat([errors, divergences, cosine[None]])
    means = (sums / len(run.pool.held_out)).tolist()
    found = dict(zip(names, means, strict=True))
    if not run.recipe.classes:
        del found[CLASSES], found[CELLS]
    else:
        found |= agreement(run, run.pool.held_out)
        if run.pool.val is not None:
            found |= {f"val_{name}": value for name, value in agreement(run, run.pool.val).items()}
    return found


@torch.inference_mode()
def agreement(run: Distillation, photos: Tensor) -> dict[str, float]:
    """How often the teacher's most probable class is the student's most probable one, and among its five most probable.

    Args:
        photos: uint8 (N, H, W, 3).
    """
    first = among_five = 0
    for part in photos.split(run.recipe.batch):
        student, teacher = (run.teacher.logits(maps[-1]) for maps in _maps(run, part))
        guess = teacher.argmax(1, keepdim=True)
        five = student.topk(min(5, student.shape[1])).indices
        first += int((five[:, :1] == guess).sum())
        among_five += int((five == guess).any(1).sum())
    return {"agreement": first / len(photos), "agreement_5": among_five / len(photos)}


def class_errors(run: Distillation, student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Divergences of the class probabilities of last maps (B, 2048, h, w): of the pooled maps, and of each cell.

    Returns:
        (2,); each is 0 if its weight in the recipe is.
    """
    recipe, teacher = run.recipe, run.teacher
    found = student_map.new_zeros(2, dtype=torch.float32)
    weighted = ((recipe.classes, teacher.logits), (recipe.cell_classes, teacher.cell_logits))
    with run.autocast():
        for index, (weight, logits) in enumerate(weighted):
            if weight:
                found[index] = class_divergence(logits(student_map), logits(teacher_map), recipe.temperature)
    return found


def _maps(run: Distillation, photos: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Feature maps of all stages of the averaged student and of the teacher."""
    batch = normalise(photos.to(run.device)).contiguous(memory_format=torch.channels_last)
    with run.autocast():
        return run.averaged.stages(batch), run.teacher.maps(batch)
