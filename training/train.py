"""Train a captioner: cross-entropy, then self-critical, from one recipe.

    captionbot train attention --set data=/data/flickr8k
    captionbot train attention --set data=/data/flickr8k --set decoder=pooled --out runs/pooled
    torchrun --nproc-per-node 4 -m captionbot train attention --set data=/data/coco

A run folder holds `recipe.json`, `curves.csv`, `curves.png`, `last.pt` (all that resuming needs) and a model folder for
the best epoch of each phase: `cross_entropy` and `self_critical`. Run the same command again to go on after a stop.
"""

import copy
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from tqdm import tqdm

from model.decoders import Decoder
from model.errors import BadRecipe
from model.sentences import decoding_rules
from training import parallel
from training.data import Example
from training.decode import decode, words_of
from training.grids import ahead, batches
from training.ingredients import Ingredients, Say, prepare
from training.metrics.scores import Scores, score
from training.moving_average import follow
from training.objectives import as_tensor, cross_entropy, self_critical
from training.recipe import Recipe
from training.run_state import PHASES, Progress, generator, open_run, seed_torch, write_curves


def train(recipe: Recipe, out: Path, *, say: Say = print) -> Path:
    """Carry out a recipe in the run folder `out`, going on where an earlier call stopped. Returns the best model.

    Raises BadData, BadRecipe or MissingWeights before anything is trained when data or recipe do not fit.
    """
    device = parallel.begin(recipe.device)
    try:
        say = say if parallel.is_main() else lambda _: None
        progress = parallel.from_main(lambda: open_run(out, recipe))
        seed_torch(recipe.seed)  # every process starts with the same weights
        work = prepare(recipe, device, say)
        if (photos := min(map(len, batches(work.train, recipe.batch, None)))) < parallel.world():
            raise BadRecipe(f"{parallel.world()} processes cannot share a batch of {photos} photos; set batch higher")
        for phase, epochs in zip(PHASES, (recipe.epochs, recipe.critical_epochs), strict=True):
            if epochs and PHASES.index(phase) >= PHASES.index(progress.phase):
                progress = _train_phase(phase, epochs, progress, work, out, say)
        say(f"The best model is in {out / progress.phase}")
    finally:
        parallel.end()
    return out / progress.phase


def _train_phase(phase: str, epochs: int, progress: Progress, work: Ingredients, out: Path, say: Say) -> Progress:
    """All epochs of one phase that are still to do; keeps the epoch with the best validation CIDEr."""
    if progress.phase != phase:  # the phase before is over: its best epoch is where this one starts
        work.load(progress.best_decoder, progress.best_encoder)
        progress = Progress(phase, curves=progress.curves)
    recipe, decoder = work.recipe, work.decoder
    averaged = copy.deepcopy(decoder)
    optimiser = _optimiser(phase, work)
    if progress.epoch:
        work.load(progress.decoder, progress.encoder)
        averaged.load_state_dict(progress.averaged)
        optimiser.load_state_dict(progress.optimiser)
    for epoch in range(progress.epoch, epochs):
        if progress.stale >= recipe.patience:
            say(f"{phase}: no better validation CIDEr for {recipe.patience} epochs, stopping")
            break
        began = time.perf_counter()
        row: dict[str, Any] = {"phase": phase, "epoch": epoch + 1}
        row |= _train_epoch(phase, epoch, epochs, work, averaged, optimiser)
        scores, row["val_loss"] = parallel.from_main(lambda: _validate(averaged, work))
        row |= {name: scores[name] for name in ("bleu_4", "cider", "mean_length", "distinct", "most_common")}
        row["seconds"] = time.perf_counter() - began
        progress.curves.append({k: round(value, 5) if isinstance(value, float) else value for k, value in row.items()})
        progress.epoch, progress.stale = epoch + 1, progress.stale + 1
        if scores["cider"] > progress.best:
            progress.best, progress.stale = scores["cider"], 0
            progress.best_decoder, progress.best_encoder = _copy(averaged), work.encoder_state()
            if parallel.is_main():
                work.save(out / phase, averaged, _metrics(scores, phase, epoch, work))
        progress.decoder, progress.averaged = decoder.state_dict(), averaged.state_dict()
        progress.optimiser, progress.encoder = optimiser.state_dict(), work.encoder_state()
        if parallel.is_main():
            write_curves(out, progress.curves, tensorboard=recipe.tensorboard)
            progress.save(out)  # last: whoever is killed before it does this epoch again
        say("  ".join(f"{k} {value:.4g}" if isinstance(value, float) else f"{value}" for k, value in row.items()))
    return progress


def _train_epoch(
    phase: str, epoch: int, epochs: int, work: Ingredients, averaged: Decoder, optimiser: AdamW
) -> dict[str, float]:
    """One pass over the training photos. Returns mean loss a word and, when self-critical, the mean reward."""
    recipe, decoder, trained = work.recipe, work.decoder, work.trained()
    key = (recipe.seed, phase, epoch)
    parts = [parallel.share(batch) for batch in batches(work.train, recipe.batch, generator("order", *key))]
    views, choices = (generator(purpose, *key, parallel.rank()) for purpose in ("views", "captions"))
    seed_torch(*key, parallel.rank())
    decoder.train(phase == "cross_entropy")  # dropout would make the sampled sentences those of another model
    losses = words = rewards = 0.0
    if phase == "self_critical":
        work.reward.forget()
    hidden = None if parallel.is_main() else True  # None: hidden where nobody watches
    bar = tqdm(ahead(work.grids, parts, views), f"{phase} {epoch + 1}", len(parts), unit="batch", disable=hidden)
    for step, (part, grid) in enumerate(bar, start=epoch * len(parts)):
        _set_rates(optimiser, step, epochs * len(parts), recipe.warmup)
        with work.autocast():
            loss, count, reward = _loss(phase, part, grid, work, choices)
        count = parallel.total(count)
        optimiser.zero_grad()
        (loss / count).backward()
        parallel.add_gradients(trained)
        nn.utils.clip_grad_norm_(trained, recipe.clip)
        optimiser.step()
        follow(averaged, decoder, recipe.ema, step)
        losses, words = losses + parallel.total(loss.item()), words + count
        rewards += parallel.total(reward * len(part)) / len(work.train)
        bar.set_postfix(loss=f"{losses / words:.3f}")
    return {"loss": losses / words} | ({"reward": rewards} if phase == "self_critical" else {})


def _loss(
    phase: str, part: list[Example], grid: Tensor, work: Ingredients, choices: np.random.Generator
) -> tuple[Tensor, float, float]:
    """Summed loss, number of words, mean reward (0 in cross-entropy)."""
    recipe = work.recipe
    if phase == "self_critical":
        photos = [example.id for example in part]
        return self_critical(
            work.decoder, grid, photos, work.reward, recipe.samples, recipe.max_words, recipe.temperature
        )
    captions = [work.captions[example.id] for example in part]
    chosen = [[lines[i] for i in choices.permutation(len(lines))[: recipe.captions]] for lines in captions]
    given, wanted = (tokens.to(grid.device) for tokens in as_tensor(chosen, recipe.max_words))
    return *cross_entropy(work.decoder, grid, given, wanted, recipe.label_smoothing), 0.0


@torch.inference_mode()
def _validate(decoder: Decoder, work: Ingredients) -> tuple[Scores, float]:
    """Scores of the validation photos, and the cross-entropy a word against their captions, without smoothing."""
    decoder.eval()
    rules = decoding_rules(decoder.config, work.vocabulary)
    found = decode(decoder, work.grids, work.val, rules, beams=work.recipe.beams, progress="validating")
    losses = words = 0.0
    for part, grid in ahead(work.grids, batches(work.val, 100, None), None):
        captions = [[work.vocabulary.encode(line) for line in example.captions] for example in part]
        given, wanted = (tokens.to(grid.device) for tokens in as_tensor(captions, work.recipe.max_words))
        loss, count = cross_entropy(decoder, grid, given, wanted, 0.0)
        losses, words = losses + loss.item(), words + count
    references = {example.id: example.captions for example in work.val}
    return score(words_of(found, work.vocabulary), references, meteor=False, resamples=200), losses / words


def _optimiser(phase: str, work: Ingredients) -> AdamW:
    recipe = work.recipe
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if phase == "self_critical":
        rate, decay = recipe.critical_learning_rate, 0.0
    groups = [
        {"params": list(work.decoder.parameters()), "peak": rate},
        {"params": work.grids.parameters(), "peak": recipe.encoder_learning_rate},
    ]
    return AdamW(groups, weight_decay=decay, fused=True)


def _set_rates(optimiser: AdamW, step: int, steps: int, warmup: int) -> None:
    """Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2017)."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    fall = 0.5 * (1 + math.cos(math.pi * step / steps))
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * rise * fall


def _metrics(scores: Scores, phase: str, epoch: int, work: Ingredients) -> dict[str, Any]:
    """What metrics.json says of the epoch that was kept. `data` is the data set whose validation photos chose it."""
    recipe = work.recipe
    chosen = {"phase": phase, "epoch": epoch + 1, "beams": recipe.beams, "data": work.dataset.hash}
    return {"validation": scores.to_json(), **chosen, "recipe": recipe.without_folders()}


def _copy(decoder: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in decoder.state_dict().items()}
