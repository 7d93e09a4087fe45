"""What a step of a distillation learns from: training views of photos, and the maps of teacher and student."""

import numpy as np
import torch
from torch import Tensor

from model.pytorch.encoders import normalise
from training.distillation.cached_maps import Compute
from training.distillation.losses import maps_from
from training.distillation.recipe import DistilRecipe
from training.distillation.state import Distillation
from training.features.augment import colour_jitter, crop_and_resize, random_boxes
from training.runs import distributed
from training.runs.run_folder import generator


def step_maps(run: Distillation, stagewise: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Maps of the student's trained stages and of the teacher's same stages, for fresh crops.

    Args:
        stagewise: whether each stage after the first trained one gets the teacher's map of the stage before.
    """
    recipe = run.recipe
    photos = run.pool.batch(run.step, recipe.batch // distributed.world_size(), recipe.seed).to(run.device)
    random = generator("crops", recipe.seed, run.step, distributed.rank())
    before, teacher_maps = run.fixed(draw_views(recipe, recipe.crop_at(run.done()), photos, random))
    with run.autocast():
        return maps_from(run.student, recipe.frozen, before, teacher_maps if stagewise else None), teacher_maps


def last_stage_maps(run: Distillation) -> Compute:
    """A function that draws a training view of each photo and computes what the last stage learns from."""

    def compute(photos: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        before, (target,) = run.fixed(draw_views(run.recipe, run.recipe.crop, photos.to(run.device), random))
        return before, target

    return compute


def cached_step_maps(run: Distillation) -> tuple[list[Tensor], list[Tensor]]:
    """The same for a run whose last stage alone is trained, from maps that were computed before."""
    assert run.cached is not None, "called for such a run"
    inputs, targets = (maps.to(run.device) for maps in run.cached.batch(run.step, run.recipe.batch, run.recipe.seed))
    with run.autocast():
        return maps_from(run.student, run.recipe.frozen, inputs.float()), [targets]


def draw_views(recipe: DistilRecipe, crop: int, photos: Tensor, random: np.random.Generator) -> Tensor:
    """Draw a crop of each photo: uint8 (B, H, W, 3) -> normalised (B, 3, crop, crop). Half are not resampled.

    With `mixup` some are blended with the next one, at a share drawn from 0 to 1 (Beyer et al. 2022, "Knowledge
    distillation: a good teacher is patient and consistent"): the teacher's maps are of the blend too.
    """
    count = len(photos)
    zoomed = (crop / recipe.zoom, min(recipe.size, crop * recipe.zoom))
    boxes = [
        random_boxes(count // 2, recipe.size, (crop, crop), 1.0, random),
        random_boxes(count - count // 2, recipe.size, zoomed, recipe.stretch, random),
    ]
    pictures = crop_and_resize(photos, np.concatenate(boxes), random.random(count) < 0.5, crop)
    pictures = colour_jitter(pictures, (recipe.colour, recipe.colour, recipe.colour / 2), random)
    if recipe.mixup:
        shares = np.where(random.random(count) < recipe.mixup, random.random(count), 0)
        pictures = pictures.lerp(pictures.roll(-1, 0), pictures.new_tensor(shares)[:, None, None, None])
    return normalise(pictures).contiguous(memory_format=torch.channels_last)
