"""Train a captioner: cross-entropy, then self-critical, from one recipe.

    captionbot train training/configs/attention.toml --set data=/data/flickr8k
    captionbot train training/configs/attention.toml --set data=/data/flickr8k --set decoder=pooled --out runs/pooled
    torchrun --nproc-per-node 4 -m captionbot train training/configs/attention.toml --set data=/data/coco

A run folder holds `recipe.json`, `curves.csv`, `curves.png`, `last.pt` (all that resuming needs) and a model folder for
the best epoch of each phase: `cross_entropy` and `self_critical`. Run the same command again to go on after a stop.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from model.decoders import Decoder
from model.sentences import decoding_rules
from training import parallel
from training.data import Example
from training.decode import decode, words_of
from training.grids import ahead, batches
from training.metrics.scores import Scores, score
from training.objectives import as_tensor, cross_entropy, self_critical
from training.recipe import Recipe
from training.run_state import epoch_random, load_state, save_state, seed_everything, write_curves
from training.setting import Setting, prepare

PHASES = ("cross_entropy", "self_critical")


def train(recipe: Recipe, out: Path, *, say: Callable[[str], None] = print) -> Path:
    """Carry out a recipe in the run folder `out`, going on where an earlier call stopped. Returns the best model's folder.

    Raises BadData or BadRecipe before anything is computed when data or recipe do not fit.
    """
    device = parallel.begin(recipe.device)
    seed_everything(recipe.seed, parallel.rank())
    setting = prepare(recipe, device, say if parallel.is_main() else lambda _: None)
    out.mkdir(parents=True, exist_ok=True)
    if parallel.is_main():
        (out / "recipe.json").write_text(json.dumps(recipe.to_json(), indent=2) + "\n")
    curves: list[dict[str, float]] = []
    for phase, epochs in zip(PHASES, (recipe.epochs, recipe.critical_epochs), strict=True):
        if epochs:
            _run_phase(phase, epochs, setting, out, curves, say)
    parallel.end()
    return out / PHASES[bool(recipe.critical_epochs)]


def _run_phase(phase: str, epochs: int, setting: Setting, out: Path, curves: list, say: Callable[[str], None]) -> None:
    """All epochs of one phase, from the best model so far; keeps the epoch with the best validation CIDEr."""
    recipe, decoder = setting.recipe, setting.decoder
    critical = phase == "self_critical"
    averaged = AveragedModel(decoder, multi_avg_fn=_moving_average(recipe.ema))
    optimiser = torch.optim.AdamW(
        [
            {"params": decoder.parameters(), "peak": recipe.critical_learning_rate if critical else recipe.learning_rate},
            {"params": setting.grids.parameters(), "peak": recipe.encoder_learning_rate},
        ],
        weight_decay=0.0 if critical else recipe.weight_decay,
        fused=True,
    )
    steps = epochs * math.ceil(len(setting.train) / recipe.batch)
    best, first, stale = -math.inf, 0, 0
    state = load_state(out / "last.pt") if (out / "last.pt").exists() else None
    if state and PHASES.index(state["phase"]) > PHASES.index(phase):
        return
    if state and state["phase"] == phase:
        decoder.load_state_dict(state["decoder"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        setting.load_encoder(state["encoder"])
        first, best, stale, curves[:] = state["epoch"], state["best"], state["stale"], state["curves"]
    elif critical and state:  # phase one is done: its best epoch is where phase two starts
        decoder.load_state_dict(state["best_decoder"])
        averaged.module.load_state_dict(state["best_decoder"])
        setting.load_encoder(state["best_encoder"])
        curves[:] = state["curves"]
    best_decoder = state["best_decoder"] if state and state["phase"] == phase else _copy(averaged.module)
    best_encoder = state["best_encoder"] if state and state["phase"] == phase else setting.encoder_state()
    for epoch in range(first, epochs):
        if stale >= recipe.patience:
            say(f"{phase}: no better validation CIDEr for {recipe.patience} epochs, stopping")
            break
        began = time.perf_counter()
        loss = _train_epoch(setting, averaged, optimiser, phase, epoch, steps)
        scores, val_loss = parallel.from_main(_validate(averaged.module, setting) if parallel.is_main() else None)
        row = {"phase": phase, "epoch": epoch + 1, **loss, "val_loss": val_loss, "seconds": time.perf_counter() - began}
        row |= {name: scores[name] for name in ("bleu_4", "cider", "mean_length", "distinct")}
        curves.append({name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()})
        stale += 1
        if scores["cider"] > best:
            best, stale = scores["cider"], 0
            best_decoder, best_encoder = _copy(averaged.module), setting.encoder_state()
            if parallel.is_main():
                setting.save(out / phase, averaged.module, _metrics(scores, curves[-1], recipe))
        if parallel.is_main():
            save_state(
                out / "last.pt", phase=phase, epoch=epoch + 1, best=best, stale=stale, curves=curves,
                decoder=decoder.state_dict(), averaged=averaged.state_dict(), optimiser=optimiser.state_dict(),
                encoder=setting.encoder_state(), best_decoder=best_decoder, best_encoder=best_encoder,
            )  # fmt: skip
            write_curves(out / "curves.csv", curves)
            say("  ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{value}" for name, value in curves[-1].items()))


def _train_epoch(
    setting: Setting, averaged: AveragedModel, optimiser: torch.optim.Optimizer, phase: str, epoch: int, steps: int
) -> dict[str, float]:
    """One pass over the training photos. Returns mean loss a word and, when self-critical, the mean reward."""
    recipe, decoder = setting.recipe, setting.decoder
    random = epoch_random(recipe.seed, epoch)
    parts = [parallel.share(part) for part in batches(setting.train, recipe.batch, random)]
    decoder.train(phase == "cross_entropy")  # dropout would make the sampled sentences those of another model
    losses = words = rewards = 0.0
    done = epoch * len(parts)
    with tqdm(total=len(parts), desc=f"{phase} {epoch + 1}", unit="batch", disable=None if parallel.is_main() else True) as bar:
        for number, (part, grid) in enumerate(ahead(setting.grids, parts, random)):
            _set_rates(optimiser, done + number, steps, recipe.warmup if phase == "cross_entropy" else 0)
            with setting.autocast():
                loss, count, reward = _loss(setting, decoder, part, grid, phase, random)
            whole = parallel.total(count)
            optimiser.zero_grad()
            (loss / whole).backward()
            trained = [*decoder.parameters(), *setting.grids.parameters()]
            parallel.add_gradients(trained)
            nn.utils.clip_grad_norm_(trained, recipe.clip)
            optimiser.step()
            averaged.update_parameters(decoder)
            losses, words, rewards = losses + parallel.total(loss.item()), words + whole, rewards + reward
            bar.set_postfix(loss=f"{losses / words:.3f}")
            bar.update()
    return {"loss": losses / words} | ({"reward": rewards / len(parts)} if phase == "self_critical" else {})


def _loss(setting: Setting, decoder: Decoder, part: list[Example], grid: Tensor, phase: str, random) -> tuple[Tensor, int, float]:
    """Summed loss, number of words, mean reward (0 in cross-entropy)."""
    recipe = setting.recipe
    if phase == "self_critical":
        photos = [example.id for example in part]
        return self_critical(decoder, grid, photos, setting.reward, recipe.samples, recipe.max_words)
    captions = [setting.captions[example.id] for example in part]
    chosen = [
        [lines[i] for i in random.permutation(len(lines))[: recipe.captions]] if len(lines) > recipe.captions else lines
        for lines in captions
    ]
    given, wanted = (tokens.to(grid.device) for tokens in as_tensor(chosen, recipe.max_words))
    return *cross_entropy(decoder, grid, given, wanted, recipe.label_smoothing), 0.0


@torch.inference_mode()
def _validate(decoder: Decoder, setting: Setting) -> tuple[Scores, float]:
    """Scores of the validation photos, and the cross-entropy a word against their captions, without smoothing."""
    decoder.eval()
    rules = decoding_rules(decoder.config, setting.vocabulary)
    found = decode(decoder, setting.grids, setting.val, rules, beams=setting.recipe.beams, progress="validating")
    losses = words = 0.0
    for part, grid in ahead(setting.grids, batches(setting.val, 100, None), None):
        captions = [[setting.vocabulary.encode(line) for line in example.captions] for example in part]
        given, wanted = (tokens.to(grid.device) for tokens in as_tensor(captions, setting.recipe.max_words))
        loss, count = cross_entropy(decoder, grid, given, wanted, 0.0)
        losses, words = losses + loss.item(), words + count
    references = {example.id: example.captions for example in setting.val}
    said = words_of(found, setting.vocabulary)
    return score(said, references, meteor=False, resamples=200), losses / words


def _moving_average(decay: float) -> Callable:
    """Exponential moving average that forgets faster at first, or the random start would weigh for epochs."""

    def update(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        now = min(decay, (1 + count.item()) / (10 + count.item()))
        torch._foreach_lerp_(averaged, current, 1 - now)

    return update


def _set_rates(optimiser: torch.optim.Optimizer, step: int, steps: int, warmup: int) -> None:
    """Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2017)."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    fall = 0.5 * (1 + math.cos(math.pi * step / steps))
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * rise * fall


def _metrics(scores: Scores, row: dict, recipe: Recipe) -> dict:
    """What metrics.json says of the epoch that was kept."""
    return {"validation": scores.to_json(), "beams": recipe.beams, "epoch": row["epoch"], "recipe": recipe.to_json()}


def _copy(decoder: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in decoder.state_dict().items()}
