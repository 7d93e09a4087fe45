"""Trains an encoder by knowledge distillation: a ResNet50 learns a teacher's feature maps from photos without captions.

    captionbot distil distil --set teacher=teacher.py --set photos=flickr8k/
    captionbot distil distil --set teacher=imagenet --set 'photos=["flickr8k/", "more.tar"]' --set minutes=60
    torchrun --nproc-per-node 4 -m captionbot distil distil --set teacher=imagenet --set photos=coco/

The maps of all stages are matched (Romero et al. 2015, "FitNets"), and with `classes` the teacher's class probabilities
too (Hinton et al. 2015). A student is first trained stage by stage: each stage gets the teacher's map as its input, so
that the last stages need not wait for the first ones. Then it is trained end to end.

A run folder holds `recipe.json`, `curves.csv`, `curves.png`, `last.pt` (all that resuming needs), `encoder.safetensors`
(the averaged weights under torchvision's names) and `distil.json` (how the encoder was trained).
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from model.errors import BadRecipe
from model.model_folder import ENCODER, save_weights
from model.pytorch.encoders import Encoder
from training.distillation.cached_maps import cache_maps
from training.distillation.fixed_maps import fixed_maps
from training.distillation.losses import STAGES, second_moments, stage_errors
from training.distillation.optimisers import Optimisers
from training.distillation.photo_pool import read_pool
from training.distillation.recipe import DistilRecipe
from training.distillation.state import Distillation, fold_norms, student_stages
from training.distillation.step_maps import cached_step_maps, last_stage_maps, step_maps
from training.distillation.teacher import load_teacher
from training.distillation.validation import CELLS, CLASSES, class_errors, validate
from training.features.encoder_weights import load_encoder, stored_weights
from training.runs import distributed
from training.runs.atomic_file import replacing
from training.runs.ema import moving_average
from training.runs.run_folder import STATE, keep_recipe, seed_torch, write_curves
from training.runs.schedule import warmup_cosine

DESCRIPTION = "distil.json"
MAY_CHANGE = ("steps", "minutes", "every", "device", "precision", "compile", "tensorboard")  # when a run is resumed
MOMENT_PHOTOS = 256  # photos that the teacher's second moments are measured on


def distil(recipe: DistilRecipe, out: Path, *, stop_after: float = 0, echo: Callable[[str], None] = print) -> Path:
    """Train in the run folder `out`, resuming where an earlier call stopped. Returns the encoder's file.

    Args:
        stop_after: minutes after which to stop at the next validation, to be resumed later; 0 = at the end.

    Raises:
        BadData: there are too few photos.
        BadRecipe: settings do not fit each other, the teacher or the run in `out`.
        MissingWeights: weights of the teacher or the student are missing.
    """
    device = distributed.setup(recipe.device)
    try:
        echo = echo if distributed.is_main() else lambda _: None
        run = _prepare(recipe, out, device, echo)
        _run(run, out, 60 * stop_after, echo)
    finally:
        distributed.cleanup()
    return out / ENCODER


def _prepare(recipe: DistilRecipe, out: Path, device: torch.device, echo: Callable[[str], None]) -> Distillation:
    if recipe.batch < 2 * distributed.world_size():
        raise BadRecipe(
            f"batch is {recipe.batch}; batch norms need two photos in each of {distributed.world_size()} processes"
        )
    teacher = load_teacher(recipe.teacher, classes=recipe.classes > 0)
    seed_torch(recipe.seed)  # every process starts with the same weights
    student = load_encoder("resnet50", recipe.start_from)
    if not isinstance(student, Encoder):
        raise BadRecipe(f"start_from is {recipe.start_from}; take random, imagenet, a weights file or a model folder")
    if recipe.frozen_norms:
        fold_norms(student)
    for network in (teacher.network, student):
        network.to(device).to(memory_format=torch.channels_last)
    if teacher.classifier is not None:
        teacher.classifier.to(device)
    pool = read_pool(recipe.photos, recipe.size, recipe.limit, echo, recipe.leave_out)
    average = moving_average(student, recipe.ema)
    average.eval()
    for stage in student_stages(student)[: recipe.frozen]:
        stage.requires_grad_(False)
    optimisers = Optimisers(student, recipe.weight_decay, muon=recipe.optimiser == "muon")
    run = Distillation(recipe, device, pool, teacher, student, average, optimisers)
    distributed.broadcast_from_main(lambda: keep_recipe(out, recipe, MAY_CHANGE))
    if (out / STATE).exists():
        run.load(out)
        echo(f"going on after {run.step} steps, {run.seconds / 60:.0f} minutes")
    else:
        some = (part.to(device) for part in pool.photos[:MOMENT_PHOTOS].split(recipe.batch))
        moments = distributed.broadcast_from_main(
            lambda: [moment.cpu() for moment in second_moments(teacher.maps, some, student)]
        )
        run.moments = [moment.to(device) for moment in moments]
    run.fixed = fixed_maps(student, teacher, recipe.frozen, device, bf16=recipe.bf16, echo=echo)
    if recipe.cached_views:
        run.cached = cache_maps(last_stage_maps(run), pool.photos, recipe.cached_views, recipe.batch, recipe.seed, out)
    if recipe.compile:  # last: OpenVINO converts the networks as they are
        if device.type == "cuda":  # on a CPU OpenVINO runs it, if it can
            _compile(teacher.network)
        _compile(student)
    return run


def _compile(network: nn.Module) -> None:
    """Compile a network; an Encoder stage by stage, because the stages are also run one by one."""
    if isinstance(network, Encoder):
        for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
            stage.compile(dynamic=False)
    else:
        network.compile(dynamic=False)


def _run(run: Distillation, out: Path, stop_after: float, echo: Callable[[str], None]) -> None:
    """Train the remaining steps, with a validation every `every` steps and at the end."""
    began, before = time.perf_counter(), run.seconds
    total, unit = (round(60 * run.recipe.minutes), "s") if run.recipe.minutes else (run.recipe.steps, "step")
    errors: list[Tensor] = []  # of the steps since the last validation, on the device
    schedulers = [
        warmup_cosine(optimiser, [run.recipe.learning_rate], lambda _: run.done(), run.recipe.warmup, run.step)
        for optimiser in run.optimisers.all
    ]
    hidden = None if distributed.is_main() else True  # None: hidden where the output is no terminal
    with tqdm(desc="distilling", total=total, unit=unit, disable=hidden) as bar:
        while (done := run.done()) < 1:
            errors.append(_step(run, done))
            run.step, run.seconds = run.step + 1, before + time.perf_counter() - began
            for scheduler in schedulers:
                scheduler.step()
            bar.update(round(run.done() * total) - bar.n)
            if run.step % run.recipe.every and run.done() < 1:
                continue
            means = torch.stack(errors).mean(0).tolist()
            mean = torch.tensor([distributed.sum_over_processes(error) / distributed.world_size() for error in means])
            errors.clear()
            if distributed.is_main():
                _validate_and_save(run, _is_stagewise(run, done), mean, out, echo)
            run.seconds = before + time.perf_counter() - began
            if (
                stop_after
                and distributed.broadcast_from_main(lambda: run.seconds - before >= stop_after)
                and run.done() < 1
            ):
                echo("stopping here; the same command goes on")
                return


def _is_stagewise(run: Distillation, done: float) -> bool:
    """Whether the stages are trained one by one when this share of the run is over."""
    return done < run.recipe.stagewise


def _step(run: Distillation, done: float) -> Tensor:
    """Train on one batch.

    Returns:
        (7,): the errors of the five stages, 0 for frozen ones, and the two divergences of class probabilities.
    """
    recipe = run.recipe
    first = recipe.frozen  # frozen stages have no loss
    run.train_mode()
    student_maps, teacher_maps = cached_step_maps(run) if run.cached else step_maps(run, _is_stagewise(run, done))
    errors = stage_errors(student_maps, teacher_maps, run.moments[first:])
    errors = torch.cat([errors.new_zeros(first), errors, class_errors(run, student_maps[-1], teacher_maps[-1])])
    run.student.zero_grad()
    (_weighted(errors, recipe) / distributed.world_size()).backward()
    distributed.all_reduce_gradients(run.student.parameters())
    clip_grad_norm_(run.student.parameters(), recipe.clip)
    run.optimisers.step()
    run.average.update_parameters(run.student)
    return errors.detach()


def _validate_and_save(
    run: Distillation, stagewise: bool, training_errors: Tensor, out: Path, echo: Callable[[str], None]
) -> None:
    """Validate, then write encoder, curves and, last, the state: a run that is killed before repeats these steps."""
    recipe, before = run.recipe, run.curves[-1] if run.curves else {"crops": 0, "minutes": 0.0}
    crops, minutes = run.step * recipe.batch, run.seconds / 60
    row: dict[str, Any] = {"phase": "stages_alone" if stagewise else "end_to_end", "step": run.step, "crops": crops}
    row |= {"minutes": minutes, "crops_per_second": (crops - before["crops"]) / (minutes - before["minutes"]) / 60}
    found = validate(run)
    row |= {
        "error": _weighted(training_errors, recipe).item(),
        "val_error": _weighted(
            torch.tensor([found.get(name, 0.0) for name in (*STAGES, CLASSES, CELLS)]), recipe
        ).item(),
    } | found
    row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
    run.curves.append(row)
    description = {
        "architecture": "resnet50",
        "photos": {"learnt from": run.pool.total, "held out": len(run.pool.held_out)},
        "crops seen": crops,
        "minutes": round(minutes, 1),
        "device": torch.cuda.get_device_name(run.device) if run.device.type == "cuda" else "CPU",
        "held-out photos": {name: round(value, 4) for name, value in found.items()},
        "recipe": recipe.without_folders(),
    }
    with replacing(out / ENCODER) as file:
        save_weights(stored_weights(run.averaged), file)
    with replacing(out / DESCRIPTION) as file:
        file.write_text(json.dumps(description, indent=2) + "\n")
    write_curves(out, run.curves, tensorboard=recipe.tensorboard)
    run.save(out)
    echo("  ".join(f"{k} {value:.4g}" if isinstance(value, float) else f"{value}" for k, value in row.items()))


def _weighted(errors: Tensor, recipe: DistilRecipe) -> Tensor:
    """The loss: the weighted sum of the errors of five stages and of the divergences of class probabilities, (7,)."""
    return (errors * errors.new_tensor([*recipe.weights, recipe.classes, recipe.cell_classes])).sum()
