"""The loop of fine-tuning: each step replays original photos and learns from feedback, against a reference model."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from tqdm import tqdm

from model.errors import BadRecipe
from model.pytorch.decoders import Decoder
from model.vocabulary import PAD, Vocabulary
from training.captioning.losses import as_tensor
from training.data import Example
from training.features.feature_sources import Grids
from training.feedback.batches import Batch, PhotoFeedback
from training.feedback.losses import dpo_loss, kto_loss, log_probs, mean_log_ratio
from training.feedback.recipe import FeedbackRecipe
from training.runs.distributed import mixed_precision
from training.runs.run_folder import generator, seed_torch
from training.runs.schedule import warmup_cosine

CURVE = 10  # steps that a row of the curves is the mean of

Item = TypeVar("Item")
Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Replay:
    """Original training photos, with people's captions or the model's own from before: see FeedbackRecipe.replay."""

    examples: Sequence[Example]
    grids: Grids
    vocabulary: Vocabulary


def train_on_feedback(
    recipe: FeedbackRecipe, decoder: Decoder, feedback: Sequence[PhotoFeedback], grids: Grids, replay: Replay
) -> list[dict[str, float]]:
    """Fine-tune a decoder in place.

    Dropout is off: its noise in a sentence's log-probability would exceed the difference to the reference.

    Returns:
        The curves: a row of mean losses for every ten steps.
    """
    seed_torch(recipe.seed)
    device = next(decoder.parameters()).device
    # It keeps requires_grad, because autocast caches casts of such weights only.
    reference = copy.deepcopy(decoder).eval()
    decoder.eval()
    weights = {
        "replay": recipe.replay_weight,
        "corrections": recipe.corrections,
        "preference": recipe.preference,
        "thumbs": recipe.thumbs,
    }
    trained = _unfreeze(decoder, recipe.taught)
    optimiser = AdamW(trained, lr=recipe.learning_rate, weight_decay=0.0, fused=True)
    scheduler = warmup_cosine(optimiser, [recipe.learning_rate], lambda step: step / recipe.steps, recipe.warmup)
    draws = generator("replayed captions", recipe.seed)
    replayed = _shuffled_batches(replay.examples, recipe.replayed, generator("replay", recipe.seed))
    rated = _shuffled_batches(feedback, recipe.rated, generator("lessons", recipe.seed))
    curves: list[dict[str, float]] = []
    recent: list[dict[str, float]] = []
    bar = tqdm(range(recipe.steps), "learning", unit="step", disable=None)
    for step in bar:
        with mixed_precision(device):
            losses = _losses(recipe, decoder, reference, next(rated), grids, device)
            if recipe.replayed:
                losses["replay"] = _replay_loss(recipe, decoder, reference, next(replayed), replay, draws, device)
        total = sum((weights[name] * loss for name, loss in losses.items()), torch.zeros((), device=device))
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(trained, recipe.clip)
        optimiser.step()
        scheduler.step()
        recent.append({name: loss.item() for name, loss in losses.items()} | {"total": total.item()})
        if len(recent) == CURVE or step + 1 == recipe.steps:
            curves.append({"step": step + 1} | _means(recent))
            bar.set_postfix(loss=f"{curves[-1]['total']:.3f}")
            recent = []
    return curves


def _unfreeze(decoder: Decoder, parts: Sequence[str]) -> list[nn.Parameter]:
    """Make only the named parts of the decoder trainable; none named: all.

    Returns:
        Their parameters.

    Raises:
        BadRecipe: the decoder has none of these parts.
    """
    for name, parameter in decoder.named_parameters():
        parameter.requires_grad_(not parts or name.partition(".")[0] in parts)
    learning = [parameter for parameter in decoder.parameters() if parameter.requires_grad]
    if not learning:
        known = ", ".join(dict.fromkeys(name.partition(".")[0] for name, _ in decoder.named_parameters()))
        raise BadRecipe(f"taught is {', '.join(parts)}; the parts of this decoder are {known}")
    return learning


def _losses(
    recipe: FeedbackRecipe,
    decoder: Decoder,
    reference: Decoder,
    feedback: Sequence[PhotoFeedback],
    grids: Grids,
    device: torch.device,
) -> Losses:
    """The losses of one batch of feedback, without those that have weight 0 or no examples in this batch."""
    grid = grids([one.example for one in feedback])
    batch = Batch.of(feedback, recipe.max_words, device)
    now, words = log_probs(decoder, grid, batch.inputs, batch.targets)
    with torch.no_grad():
        before, _ = log_probs(reference, grid, batch.inputs, batch.targets)
    ratio = mean_log_ratio(now, before, words)
    losses = {}
    if recipe.corrections and batch.is_correction.any():
        losses["corrections"] = -(batch.is_correction * now).sum() / (batch.is_correction * words).sum()
    if recipe.preference and len(batch.preferred):
        preferred, rejected = ratio.flatten()[batch.preferred], ratio.flatten()[batch.rejected]
        losses["preference"] = dpo_loss(preferred, rejected, recipe.preference_beta).mean()
    if recipe.thumbs and (votes := (batch.up + batch.down).sum()) > 0:
        reference_point = _reference_point(decoder, reference, grid, batch)
        losses["thumbs"] = kto_loss(ratio, batch.up, batch.down, reference_point, recipe.thumbs_beta).sum() / votes
    return losses


@torch.no_grad()
def _reference_point(decoder: Decoder, reference: Decoder, grid: Tensor, batch: Batch) -> Tensor:
    """The reference point of KTO: mean ratio of each photo's first sentence on another photo."""
    elsewhere, inputs, targets = grid.roll(1, 0), batch.inputs[:, :1], batch.targets[:, :1]
    now, words = log_probs(decoder, elsewhere, inputs, targets)
    before, _ = log_probs(reference, elsewhere, inputs, targets)
    return mean_log_ratio(now, before, words).mean()


def _replay_loss(
    recipe: FeedbackRecipe,
    decoder: Decoder,
    reference: Decoder,
    examples: Sequence[Example],
    replay: Replay,
    draws: np.random.Generator,
    device: torch.device,
) -> Tensor:
    """Mean over words of the divergence from the reference, or of the cross-entropy against people's captions."""
    grid = replay.grids(examples)
    chosen = [
        [replay.vocabulary.encode(example.captions[n]) for n in draws.permutation(len(example.captions))]
        for example in examples
    ]
    several = [lines[: recipe.replay_captions] for lines in chosen]
    inputs, targets = (tokens.to(device) for tokens in as_tensor(several, recipe.max_words))
    real = targets != PAD
    now = decoder.logits(decoder(grid, inputs)[real]).float()  # (words, V)
    if recipe.replay == "captions":
        return F.cross_entropy(now, targets[real])
    with torch.no_grad():
        before = reference.logits(reference(grid, inputs)[real]).float().log_softmax(-1)
    return F.kl_div(now.log_softmax(-1), before, log_target=True, reduction="batchmean")


def _shuffled_batches(items: Sequence[Item], count: int, random: np.random.Generator) -> Iterator[list[Item]]:
    """Batches of `count` items without end. Each item comes once before any comes again, in a new random order."""
    waiting: list[int] = []
    while count:
        while len(waiting) < count:
            waiting += random.permutation(len(items)).tolist()
        yield [items[number] for number in waiting[:count]]
        waiting = waiting[count:]


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each column over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(float(np.mean([row[name] for row in rows if name in row])), 5) for name in names}
