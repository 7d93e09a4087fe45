"""Distil an encoder: a ResNet50 learns to give a teacher's feature maps, on photos that need no captions.

    captionbot distil distil --set teacher=teacher.py --set photos=flickr8k/
    captionbot distil distil --set teacher=imagenet --set 'photos=["flickr8k/", "more.tar"]' --set minutes=60
    torchrun --nproc-per-node 4 -m captionbot distil distil --set teacher=imagenet --set photos=coco/

The maps of all stages are matched (Romero et al. 2015, "FitNets"). First each stage learns alone, on the teacher's
input to it, so that the last ones need not wait for the first; then all of them end to end.

A run folder holds `recipe.json`, `curves.csv`, `curves.png`, `last.pt` (all that resuming needs), and what is wanted:
`encoder.safetensors`, the averaged weights under torchvision's names, and `distil.json`: how they came about.
"""

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from tqdm import tqdm

from model.checkpoint import ENCODER, save_weights
from model.encoders import Encoder, normalise
from model.errors import BadRecipe
from training import parallel
from training.augment import cut, random_boxes, recolour
from training.distil_recipe import DistilRecipe
from training.distillation import Distillation
from training.encoder_weights import load_encoder, storable
from training.moving_average import follow
from training.photo_pool import read_pool
from training.run_state import STATE, generator, keep_recipe, replacing, seed_torch, write_curves
from training.stage_errors import STAGES, maps_alone, pooled_cosine, second_moments, stage_errors, stage_maps

ABOUT = "distil.json"
MAY_CHANGE = ("steps", "minutes", "every", "device", "precision", "compile", "tensorboard")  # when a run goes on
MEASURED = 256  # photos that the teacher's second moments are measured on


def distil(recipe: DistilRecipe, out: Path, *, stop_after: float = 0, say: Callable[[str], None] = print) -> Path:
    """Carry out a recipe in the run folder `out`, going on where an earlier call stopped. Returns the encoder's file.

    stop_after: minutes after which to stop at the next validation; another call goes on exactly there. 0 = never.
    Raises BadData, BadRecipe or MissingWeights before anything is learnt when photos, recipe or weights do not fit.
    """
    device = parallel.begin(recipe.device)
    try:
        say = say if parallel.is_main() else lambda _: None
        run = _prepare(recipe, out, device, say)
        _run(run, out, 60 * stop_after, say)
    finally:
        parallel.end()
    return out / ENCODER


def _prepare(recipe: DistilRecipe, out: Path, device: torch.device, say: Callable[[str], None]) -> Distillation:
    if recipe.batch < 2 * parallel.world():
        raise BadRecipe(f"batch is {recipe.batch}; batch norms need two photos in each of {parallel.world()} processes")
    teacher = load_encoder("resnet50", recipe.teacher).requires_grad_(False)
    seed_torch(recipe.seed)  # every process starts with the same weights
    student = load_encoder("resnet50", recipe.start_from)
    if not isinstance(student, Encoder):
        raise BadRecipe(f"start_from is {recipe.start_from}; take random, imagenet, a weights file or a model folder")
    for network in (teacher, student):
        network.to(device).to(memory_format=torch.channels_last)
    pool = read_pool(recipe.photos, recipe.size, recipe.limit, say)
    optimiser = AdamW(student.parameters(), weight_decay=recipe.weight_decay, fused=True)
    run = Distillation(recipe, device, pool, stage_maps(teacher), student, copy.deepcopy(student).eval(), optimiser)
    parallel.from_main(lambda: keep_recipe(out, recipe, MAY_CHANGE))
    if (out / STATE).exists():
        run.load(out)
        say(f"going on after {run.step} steps, {run.seconds / 60:.0f} minutes")
    else:
        some = (part.to(device) for part in pool.photos[:MEASURED].split(recipe.batch))
        moments = parallel.from_main(lambda: [moment.cpu() for moment in second_moments(run.teacher, some, student)])
        run.moments = [moment.to(device) for moment in moments]
    if recipe.compile:
        _compile(teacher)
        _compile(student)
    return run


def _compile(network: nn.Module) -> None:
    """Stage by stage where the stages are known; they are also run one by one."""
    if isinstance(network, Encoder):
        for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
            stage.compile(dynamic=False)
    else:
        network.compile(dynamic=False)


def _run(run: Distillation, out: Path, stop_after: float, say: Callable[[str], None]) -> None:
    """All steps that are still to do, with a validation every now and then and one in the end."""
    began, before = time.perf_counter(), run.seconds
    total, unit = (round(60 * run.recipe.minutes), "s") if run.recipe.minutes else (run.recipe.steps, "step")
    errors: list[Tensor] = []  # of the steps since the last validation, on the device
    hidden = None if parallel.is_main() else True  # None: hidden where nobody watches
    with tqdm(desc="distilling", total=total, unit=unit, disable=hidden) as bar:
        while (done := run.done()) < 1:
            errors.append(_step(run, done))
            run.step, run.seconds = run.step + 1, before + time.perf_counter() - began
            bar.update(round(run.done() * total) - bar.n)
            if run.step % run.recipe.every and run.done() < 1:
                continue
            mean = [parallel.total(error) / parallel.world() for error in torch.stack(errors).mean(0).tolist()]
            errors.clear()
            if parallel.is_main():
                _check(run, _alone(run, done), mean, out, say)
            run.seconds = before + time.perf_counter() - began
            if stop_after and parallel.from_main(lambda: run.seconds - before >= stop_after) and run.done() < 1:
                say("stopping here; the same command goes on")
                return


def _alone(run: Distillation, done: float) -> bool:
    """Whether the stages learn one by one, on the teacher's maps, so far into the run."""
    return run.recipe.start_from == "random" and done < run.recipe.stagewise


def _step(run: Distillation, done: float) -> Tensor:
    """Learn from one batch. Returns the errors of the five stages."""
    recipe = run.recipe
    rate = recipe.learning_rate * min(1, (run.step + 1) / max(1, recipe.warmup)) * 0.5 * (1 + math.cos(math.pi * done))
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    photos = _crops(run)
    run.student.train()
    with run.autocast():
        with torch.no_grad():
            wanted = run.teacher(photos)
        given = maps_alone(run.student, photos, wanted) if _alone(run, done) else run.student.stages(photos)
    errors = stage_errors(given, wanted, run.moments)
    run.optimiser.zero_grad()
    ((errors * errors.new_tensor(recipe.weights)).sum() / parallel.world()).backward()
    parallel.add_gradients(run.student.parameters())
    clip_grad_norm_(run.student.parameters(), recipe.clip)
    run.optimiser.step()
    follow(run.averaged, run.student, recipe.ema, run.step)
    return errors.detach()


def _crops(run: Distillation) -> Tensor:
    """Normalised (B, 3, crop, crop) of this step. Half of them are the photos' very pixels, not resampled."""
    recipe = run.recipe
    count = recipe.batch // parallel.world()
    random = generator("crops", recipe.seed, run.step, parallel.rank())
    zoomed = (recipe.crop / recipe.zoom, recipe.crop * recipe.zoom)
    boxes = [
        random_boxes(count // 2, recipe.size, (recipe.crop, recipe.crop), 1.0, random),
        random_boxes(count - count // 2, recipe.size, zoomed, recipe.stretch, random),
    ]
    photos = run.pool.batch(run.step, count, recipe.seed).to(run.device)
    pictures = cut(photos, np.concatenate(boxes), random.random(count) < 0.5, recipe.crop)
    pictures = recolour(pictures, (recipe.colour, recipe.colour, recipe.colour / 2), random)
    return normalise(pictures).contiguous(memory_format=torch.channels_last)


def _check(run: Distillation, alone: bool, learnt: list[float], out: Path, say: Callable[[str], None]) -> None:
    """Validate, then write encoder, curves and, last, the state: who is killed before it repeats these steps."""
    recipe, before = run.recipe, run.curves[-1] if run.curves else {"crops": 0, "minutes": 0.0}
    crops, minutes = run.step * recipe.batch, run.seconds / 60
    row: dict[str, Any] = {"phase": "stages_alone" if alone else "end_to_end", "step": run.step, "crops": crops}
    row |= {"minutes": minutes, "crops_per_second": (crops - before["crops"]) / (minutes - before["minutes"]) / 60}
    found = _validate(run)
    row |= {
        "error": _weighted(learnt, recipe),
        "val_error": _weighted([found[stage] for stage in STAGES], recipe),
    } | found
    row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
    run.curves.append(row)
    about = {
        "architecture": "resnet50",
        "photos": {"learnt from": run.pool.total, "held out": len(run.pool.held_out)},
        "crops seen": crops,
        "minutes": round(minutes, 1),
        "device": torch.cuda.get_device_name(run.device) if run.device.type == "cuda" else "CPU",
        "held-out photos": {name: round(value, 4) for name, value in found.items()},
        "recipe": recipe.without_folders(),
    }
    with replacing(out / ENCODER) as partial:
        save_weights(storable(run.averaged), partial)
    with replacing(out / ABOUT) as partial:
        partial.write_text(json.dumps(about, indent=2) + "\n")
    write_curves(out, run.curves, tensorboard=recipe.tensorboard)
    run.save(out)
    say("  ".join(f"{k} {value:.4g}" if isinstance(value, float) else f"{value}" for k, value in row.items()))


@torch.inference_mode()
def _validate(run: Distillation) -> dict[str, float]:
    """Errors of the averaged encoder's stages, end to end, and its pooled cosine, on whole photos that are held out."""
    sums = torch.zeros(len(STAGES) + 1, device=run.device)
    for part in run.pool.held_out.split(run.recipe.batch):
        photos = normalise(part.to(run.device)).contiguous(memory_format=torch.channels_last)
        with run.autocast():
            wanted, given = run.teacher(photos), run.averaged.stages(photos)
        cosine = pooled_cosine(given[-1], wanted[-1]).mean()
        sums += len(part) * torch.cat([stage_errors(given, wanted, run.moments), cosine[None]])
    return dict(zip((*STAGES, "cosine"), (sums / len(run.pool.held_out)).tolist(), strict=True))


def _weighted(errors: list[float], recipe: DistilRecipe) -> float:
    return sum(weight * error for weight, error in zip(recipe.weights, errors, strict=True))
