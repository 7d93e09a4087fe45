"""Trains a captioner from one recipe: by cross-entropy, then by self-critical sequence training.

    captionbot train attention --set data=/data/flickr8k
    captionbot train attention --set data=/data/flickr8k --set decoder=pooled --out runs/pooled
    torchrun --nproc-per-node 4 -m captionbot train attention --set data=/data/coco

A run folder holds `recipe.json`, `curves.csv`, `curves.png`, `last.pt` (all that resuming needs) and a model folder for
the best epoch of each phase: `cross_entropy` and `self_critical`. Run the same command again to go on after a stop.
"""

import time
from pathlib import Path
from statistics import mean
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from model.caption_text import decoding_rules
from model.errors import BadRecipe
from model.pytorch.decoders import Decoder
from training.captioning.losses import as_tensor, cross_entropy, self_critical
from training.captioning.progress import PHASES, Progress, open_run
from training.captioning.recipe import Recipe
from training.captioning.setup import Echo, TrainingSetup, prepare
from training.data import Example
from training.features.decode import decode, words_of
from training.features.feature_sources import batches, prefetch
from training.metrics.scores import Scores, score
from training.runs import distributed
from training.runs.ema import moving_average
from training.runs.run_folder import generator, seed_torch, write_curves
from training.runs.schedule import warmup_cosine

VALIDATED = ("bleu_4", "cider", "mean_length", "distinct", "most_common")  # in curves: means over the data sets


def train(recipe: Recipe, out: Path, *, echo: Echo = print) -> Path:
    """Train in the run folder `out`, going on where an earlier call stopped.

    Returns:
        The model folder of the best epoch of the last phase.

    Raises:
        BadData, BadRecipe, MissingWeights: before anything is trained, see `prepare`.
    """
    device = distributed.setup(recipe.device)
    try:
        echo = echo if distributed.is_main() else lambda _: None
        progress = distributed.broadcast_from_main(lambda: open_run(out, recipe))
        seed_torch(recipe.seed)  # every process starts with the same weights
        setup = prepare(recipe, device, echo)
        if (photos := min(map(len, batches(setup.train, recipe.batch, None)))) < distributed.world_size():
            raise BadRecipe(
                f"{distributed.world_size()} processes cannot share a batch of {photos} photos; set batch higher"
            )
        for phase, epochs in zip(PHASES, (recipe.epochs, recipe.critical_epochs), strict=True):
            if epochs and PHASES.index(phase) >= PHASES.index(progress.phase):
                progress = _train_phase(phase, epochs, progress, setup, out, echo)
        echo(f"The best model is in {out / progress.phase}")
    finally:
        distributed.cleanup()
    return out / progress.phase


def _train_phase(phase: str, epochs: int, progress: Progress, setup: TrainingSetup, out: Path, echo: Echo) -> Progress:
    """Train the remaining epochs of one phase, and keep the epoch with the best validation CIDEr."""
    if progress.phase != phase:  # the previous phase is over: this one starts from its best epoch
        setup.load(progress.best_decoder, progress.best_encoder)
        progress = Progress(phase, curves=progress.curves)
    recipe, decoder = setup.recipe, setup.decoder
    average = moving_average(decoder, recipe.ema)
    averaged, optimiser = cast(Decoder, average.module), _optimiser(phase, setup)
    if progress.epoch:
        setup.load(progress.decoder, progress.encoder)
        averaged.load_state_dict(progress.averaged)
        optimiser.load_state_dict(progress.optimiser)
    for epoch in range(progress.epoch, epochs):
        if progress.stale >= recipe.patience:
            echo(f"{phase}: no better validation CIDEr for {recipe.patience} epochs, stopping")
            break
        began = time.perf_counter()
        row: dict[str, Any] = {"phase": phase, "epoch": epoch + 1}
        row |= _train_epoch(phase, epoch, epochs, setup, average, optimiser)
        scores, row["val_loss"] = distributed.broadcast_from_main(lambda: _validate(averaged, setup))
        row |= {name: mean(own[name] for own in scores.values()) for name in VALIDATED}
        if len(scores) > 1:
            row |= {f"cider_{name}": own["cider"] for name, own in scores.items()}
        row["seconds"] = time.perf_counter() - began
        progress.curves.append({k: round(value, 5) if isinstance(value, float) else value for k, value in row.items()})
        progress.epoch, progress.stale = epoch + 1, progress.stale + 1
        if row["cider"] > progress.best:
            progress.best, progress.stale = row["cider"], 0
            progress.best_decoder, progress.best_encoder = _copy(averaged), setup.encoder_state()
            if distributed.is_main():
                setup.save(out / phase, averaged, _metrics(scores, phase, epoch, setup))
        progress.decoder, progress.averaged = decoder.state_dict(), averaged.state_dict()
        progress.optimiser, progress.encoder = optimiser.state_dict(), setup.encoder_state()
        if distributed.is_main():
            write_curves(out, progress.curves, tensorboard=recipe.tensorboard)
            progress.save(out)  # last: a run that is killed before repeats this epoch
        echo("  ".join(f"{k} {value:.4g}" if isinstance(value, float) else f"{value}" for k, value in row.items()))
    return progress


def _train_epoch(
    phase: str, epoch: int, epochs: int, setup: TrainingSetup, average: AveragedModel, optimiser: AdamW
) -> dict[str, float]:
    """One pass over the training photos. Returns the mean loss of a word and, when self-critical, the mean reward."""
    recipe, decoder, trained = setup.recipe, setup.decoder, setup.trained()
    key = (recipe.seed, phase, epoch)
    order = generator("order", *key)
    parts = [distributed.shard(batch) for batch in batches(setup.draw(order), recipe.batch, order)]
    views, choices = (generator(purpose, *key, distributed.rank()) for purpose in ("views", "captions"))
    seed_torch(*key, distributed.rank())
    decoder.train(phase == "cross_entropy")  # with dropout, sampled sentences would be those of another model
    losses = words = rewards = 0.0
    if phase == "self_critical":
        setup.reward.reset()
    hidden = None if distributed.is_main() else True  # None: hidden where the output is no terminal
    bar = tqdm(prefetch(setup.grids, parts, views), f"{phase} {epoch + 1}", len(parts), unit="batch", disable=hidden)
    done, total = epoch * len(parts), epochs * len(parts)
    average.n_averaged.fill_(1 + done)
    scheduler = warmup_cosine(optimiser, _peaks(phase, recipe), lambda step: step / total, recipe.warmup, start=done)
    for part, grid in bar:
        with setup.autocast():
            loss, count, reward = _loss(phase, part, grid, setup, choices)
        count = distributed.sum_over_processes(count)
        optimiser.zero_grad()
        (loss / count).backward()
        distributed.all_reduce_gradients(trained)
        nn.utils.clip_grad_norm_(trained, recipe.clip)
        optimiser.step()
        scheduler.step()
        average.update_parameters(decoder)
        losses, words = losses + distributed.sum_over_processes(loss.item()), words + count
        rewards += distributed.sum_over_processes(reward * len(part)) / len(setup.train)
        bar.set_postfix(loss=f"{losses / words:.3f}")
    return {"loss": losses / words} | ({"reward": rewards} if phase == "self_critical" else {})


def _loss(
    phase: str, part: list[Example], grid: Tensor, setup: TrainingSetup, choices: np.random.Generator
) -> tuple[Tensor, float, float]:
    """Sum of the loss over words, number of words, and mean reward (0 in cross-entropy)."""
    recipe = setup.recipe
    if phase == "self_critical":
        photos = [example.id for example in part]
        return self_critical(
            setup.decoder, grid, photos, setup.reward, recipe.samples, recipe.max_words, recipe.temperature
        )
    chosen = [choices.permutation(len(setup.captions[example.id]))[: recipe.captions] for example in part]
    captions = [[setup.captions[e.id][i] for i in own] for e, own in zip(part, chosen, strict=True)]
    weights = torch.zeros(len(part), max(map(len, chosen)))
    for row, example, own in zip(weights, part, chosen, strict=True):
        row[: len(own)] = torch.tensor([setup.weights[example.id][i] for i in own])
    inputs, targets, weights = (tensor.to(grid.device) for tensor in (*as_tensor(captions, recipe.max_words), weights))
    return *cross_entropy(setup.decoder, grid, inputs, targets, recipe.label_smoothing, weights), 0.0


@torch.inference_mode()
def _validate(decoder: Decoder, setup: TrainingSetup) -> tuple[dict[str, Scores], float]:
    """Scores of each data set's validation photos, and the mean cross-entropy of a word of all, without smoothing."""
    decoder.eval()
    rules = decoding_rules(decoder.config, setup.vocabulary)
    found = decode(decoder, setup.grids, setup.val, rules, beams=setup.recipe.beams, progress="validating")
    losses = words = 0.0
    for part, grid in prefetch(setup.grids, batches(setup.val, 100, None), None):
        captions = [[setup.vocabulary.encode(line) for line in example.captions] for example in part]
        inputs, targets = (tokens.to(grid.device) for tokens in as_tensor(captions, setup.recipe.max_words))
        loss, count = cross_entropy(decoder, grid, inputs, targets, 0.0)
        losses, words = losses + loss.item(), words + count
    said, scores = words_of(found, setup.vocabulary), {}
    for name in dict.fromkeys(example.dataset for example in setup.val):
        references = {example.id: example.captions for example in setup.val if example.dataset == name}
        scores[name] = score({photo: said[photo] for photo in references}, references, meteor=False, resamples=200)
    return scores, losses / words


def _optimiser(phase: str, setup: TrainingSetup) -> AdamW:
    decay = setup.recipe.weight_decay if phase == "cross_entropy" else 0.0
    groups = [{"params": list(setup.decoder.parameters())}, {"params": setup.grids.parameters()}]
    return AdamW(groups, weight_decay=decay, fused=True)


def _peaks(phase: str, recipe: Recipe) -> tuple[float, float]:
    """Highest learning rates of the decoder and of the encoder."""
    rate = recipe.learning_rate if phase == "cross_entropy" else recipe.critical_learning_rate
    return rate, recipe.encoder_learning_rate


def _metrics(scores: dict[str, Scores], phase: str, epoch: int, setup: TrainingSetup) -> dict[str, Any]:
    """What metrics.json says of the kept epoch. `data` is the data set whose validation photos chose it."""
    recipe, figures = setup.recipe, {name: own.to_json() for name, own in scores.items()}
    validation = figures if len(figures) > 1 else next(iter(figures.values()))
    chosen = {"phase": phase, "epoch": epoch + 1, "beams": recipe.beams, "data": setup.dataset.hash}
    return {"validation": validation, **chosen, "recipe": recipe.without_folders()}


def _copy(decoder: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in decoder.state_dict().items()}
