"""The loop of fine-tuning: each step replays original photos and takes in lessons, against the model as it was."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from tqdm import tqdm

from model.decoders import Decoder
from model.errors import BadRecipe
from model.vocabulary import PAD, Vocabulary
from training.data import Example
from training.finetune_recipe import FeedbackRecipe
from training.grids import Grids
from training.lessons import Batch, Lesson
from training.objectives import as_tensor
from training.precision import mixed_precision
from training.preferences import log_probs, mean_ratio, preference, thumbs
from training.run_state import generator, seed_torch

CURVE = 10  # steps that a row of the curves is the mean of

Item = TypeVar("Item")
Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Replay:
    """Original training photos. Their captions are people's, or what the model said before: see FeedbackRecipe."""

    examples: Sequence[Example]
    grids: Grids
    vocabulary: Vocabulary


def teach(
    recipe: FeedbackRecipe, decoder: Decoder, lessons: Sequence[Lesson], grids: Grids, replay: Replay
) -> list[dict[str, float]]:
    """Change the decoder in place. Returns the curves: a row of mean losses for every ten steps.

    Dropout is off: noise in a sentence's log-probability would drown what sets it apart from the reference.
    """
    seed_torch(recipe.seed)
    device = next(decoder.parameters()).device
    reference = copy.deepcopy(decoder).eval()  # it could learn, for autocast keeps no copies of weights that cannot
    decoder.eval()
    weights = {
        "replay": recipe.replay_weight,
        "corrections": recipe.corrections,
        "preference": recipe.preference,
        "thumbs": recipe.thumbs,
    }
    taught = _thaw(decoder, recipe.taught)
    optimiser = AdamW(taught, lr=recipe.learning_rate, weight_decay=0.0, fused=True)
    draws = generator("replayed captions", recipe.seed)
    replayed = _endless(replay.examples, recipe.replayed, generator("replay", recipe.seed))
    learnt = _endless(lessons, recipe.rated, generator("lessons", recipe.seed))
    curves: list[dict[str, float]] = []
    recent: list[dict[str, float]] = []
    bar = tqdm(range(recipe.steps), "learning", unit="step", disable=None)
    for step in bar:
        rise = min(1.0, (step + 1) / recipe.warmup) if recipe.warmup else 1.0
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        with mixed_precision(device):
            losses = _losses(recipe, decoder, reference, next(learnt), grids, device)
            if recipe.replayed:
                losses["replay"] = _replay_loss(recipe, decoder, reference, next(replayed), replay, draws, device)
        total = sum((weights[name] * loss for name, loss in losses.items()), torch.zeros((), device=device))
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(taught, recipe.clip)
        optimiser.step()
        recent.append({name: loss.item() for name, loss in losses.items()} | {"total": total.item()})
        if len(recent) == CURVE or step + 1 == recipe.steps:
            curves.append({"step": step + 1} | _means(recent))
            bar.set_postfix(loss=f"{curves[-1]['total']:.3f}")
            recent = []
    return curves


def _thaw(decoder: Decoder, taught: Sequence[str]) -> list[nn.Parameter]:
    """Let only the named parts of the decoder change; none named: all. Returns their parameters. Raises BadRecipe."""
    for name, parameter in decoder.named_parameters():
        parameter.requires_grad_(not taught or name.partition(".")[0] in taught)
    learning = [parameter for parameter in decoder.parameters() if parameter.requires_grad]
    if not learning:
        parts = ", ".join(dict.fromkeys(name.partition(".")[0] for name, _ in decoder.named_parameters()))
        raise BadRecipe(f"taught is {', '.join(taught)}; the parts of this decoder are {parts}")
    return learning


def _losses(
    recipe: FeedbackRecipe,
    decoder: Decoder,
    reference: Decoder,
    lessons: Sequence[Lesson],
    grids: Grids,
    device: torch.device,
) -> Losses:
    """What the lessons ask for; what has weight 0, or nothing to learn in this batch, is left out."""
    grid = grids([lesson.example for lesson in lessons])
    batch = Batch.of(lessons, recipe.max_words, device)
    likely, words = log_probs(decoder, grid, batch.given, batch.wanted)
    with torch.no_grad():
        before, _ = log_probs(reference, grid, batch.given, batch.wanted)
    ratio = mean_ratio(likely, before, words)
    losses = {}
    if recipe.corrections and batch.written.any():
        losses["corrections"] = -(batch.written * likely).sum() / (batch.written * words).sum()
    if recipe.preference and len(batch.better):
        better, worse = ratio.flatten()[batch.better], ratio.flatten()[batch.worse]
        losses["preference"] = preference(better, worse, recipe.preference_beta).mean()
    if recipe.thumbs and (votes := (batch.up + batch.down).sum()) > 0:
        usual = _usual(decoder, reference, grid, batch)
        losses["thumbs"] = thumbs(ratio, batch.up, batch.down, usual, recipe.thumbs_beta).sum() / votes
    return losses


@torch.no_grad()
def _usual(decoder: Decoder, reference: Decoder, grid: Tensor, batch: Batch) -> Tensor:
    """How much likelier the first sentence of each photo has become on another photo, in the mean."""
    elsewhere, given, wanted = grid.roll(1, 0), batch.given[:, :1], batch.wanted[:, :1]
    likely, words = log_probs(decoder, elsewhere, given, wanted)
    before, _ = log_probs(reference, elsewhere, given, wanted)
    return mean_ratio(likely, before, words).mean()


def _replay_loss(
    recipe: FeedbackRecipe,
    decoder: Decoder,
    reference: Decoder,
    examples: Sequence[Example],
    replay: Replay,
    draws: np.random.Generator,
    device: torch.device,
) -> Tensor:
    """Mean over words of the divergence from what the model said before, or of the cross-entropy."""
    grid = replay.grids(examples)
    chosen = [
        [replay.vocabulary.encode(example.captions[n]) for n in draws.permutation(len(example.captions))]
        for example in examples
    ]
    several = [lines[: recipe.replay_captions] for lines in chosen]
    given, wanted = (tokens.to(device) for tokens in as_tensor(several, recipe.max_words))
    real = wanted != PAD
    now = decoder.logits(decoder(grid, given)[real]).float()  # (words, V)
    if recipe.replay == "captions":
        return F.cross_entropy(now, wanted[real])
    with torch.no_grad():
        before = reference.logits(reference(grid, given)[real]).float().log_softmax(-1)
    return F.kl_div(now.log_softmax(-1), before, log_target=True, reduction="batchmean")


def _endless(items: Sequence[Item], count: int, random: np.random.Generator) -> Iterator[list[Item]]:
    """`count` items a time, all of them before any comes again, in an order that is drawn anew."""
    waiting: list[int] = []
    while count:
        while len(waiting) < count:
            waiting += random.permutation(len(items)).tolist()
        yield [items[number] for number in waiting[:count]]
        waiting = waiting[count:]


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each column, over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(float(np.mean([row[name] for row in rows if name in row])), 5) for name in names}
