"""What a step of a distillation learns from: training views of photos, and the maps of teacher and student."""

import numpy as np
import torch
from torch import Tensor, nn

from model.pytorch.encoders import Encoder, normalise
from training.distillation.cached_maps import Compute
from training.distillation.losses import stagewise_maps
from training.distillation.recipe import DistilRecipe
from training.distillation.state import Distillation
from training.distillation.teacher import Teacher
from training.features.augment import colour_jitter, crop_and_resize, random_boxes
from training.features.fast_inference import compile_for_cpu
from training.runs import distributed
from training.runs.run_folder import generator


def step_maps(run: Distillation, stagewise: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Maps of the student's trained stages and of the teacher's same stages, for fresh crops.

    Args:
        stagewise: whether each stage gets the teacher's map of the stage before.
    """
    recipe = run.recipe
    photos = run.pool.batch(run.step, recipe.batch // distributed.world_size(), recipe.seed).to(run.device)
    random = generator("crops", recipe.seed, run.step, distributed.rank())
    crops = draw_views(recipe, recipe.crop_at(run.done()), photos, random)
    with run.autocast():
        with torch.no_grad():
            teacher_maps = run.teacher.maps(crops)
        student_maps = stagewise_maps(run.student, crops, teacher_maps) if stagewise else run.student.stages(crops)
    return student_maps[recipe.frozen :], teacher_maps[recipe.frozen :]


class _LastStageMaps(nn.Module):
    """Normalised views (B, 3, H, W) -> the map that the student's last stage gets, and the one that it should give."""

    def __init__(self, student: Encoder, teacher: Teacher):
        super().__init__()
        self.student, self.teacher, self.teacher_maps = student, teacher.network, teacher.maps

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        return self.student.stages_to(views, 3), self.teacher_maps(views)[-1]


def last_stage_maps(run: Distillation) -> Compute:
    """A function that draws a training view of each photo and computes what the last stage learns from."""
    network = _LastStageMaps(run.student, run.teacher).eval()
    example = torch.zeros(1, 3, run.recipe.crop, run.recipe.crop)
    fast = compile_for_cpu(network, example) if run.device.type == "cpu" else None

    @torch.no_grad()
    def compute(photos: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        views = draw_views(run.recipe, run.recipe.crop, photos.to(run.device), random)
        if fast:
            inputs, targets = map(torch.from_numpy, fast(views.numpy()))
            return inputs, targets
        with run.autocast():
            return network(views)

    return compute


def cached_step_maps(run: Distillation) -> tuple[list[Tensor], list[Tensor]]:
    """The same for a run whose last stage alone is trained, from maps that were computed before."""
    assert run.cached is not None, "called for such a run"
    inputs, targets = (maps.to(run.device) for maps in run.cached.batch(run.step, run.recipe.batch, run.recipe.seed))
    with run.autocast():
        return [run.student.layer4(inputs.float())], [targets]


def draw_views(recipe: DistilRecipe, crop: int, photos: Tensor, random: np.random.Generator) -> Tensor:
    """Draw a crop of each photo: uint8 (B, H, W, 3) -> normalised (B, 3, crop, crop). Half are not resampled."""
    count = len(photos)
    zoomed = (crop / recipe.zoom, min(recipe.size, crop * recipe.zoom))
    boxes = [
        random_boxes(count // 2, recipe.size, (crop, crop), 1.0, random),
        random_boxes(count - count // 2, recipe.size, zoomed, recipe.stretch, random),
    ]
    pictures = crop_and_resize(photos, np.concatenate(boxes), random.random(count) < 0.5, crop)
    pictures = colour_jitter(pictures, (recipe.colour, recipe.colour, recipe.colour / 2), random)
    return normalise(pictures).contiguous(memory_format=torch.channels_last)
