"""The training losses: cross-entropy against people's captions, and self-critical sequence training."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.pytorch.decoders import Decoder
from model.vocabulary import END, PAD, START, UNK


def as_tensor(captions: Sequence[Sequence[Sequence[int]]], max_words: int) -> tuple[Tensor, Tensor]:
    """Pad captions to the decoder's inputs and targets.

    Args:
        captions: word ids of up to K captions for each of B photos.
        max_words: longer captions are cut there and get no END, so that the model does not learn to stop.

    Returns:
        Inputs (START and the words) and targets (the words and END), both int64 (B, K, T) and padded with PAD. T is at
        most `max_words` + 1.
    """
    count = max(len(sentences) for sentences in captions)
    length = 1 + min(max_words, max(len(words) for sentences in captions for words in sentences))
    tokens = torch.full((len(captions), count, length + 1), PAD)
    for b, sentences in enumerate(captions):
        for k, words in enumerate(sentences):
            line = [START, *words, END][: length + 1]
            tokens[b, k, : len(line)] = torch.tensor(line)
    return tokens[:, :, :-1].masked_fill(tokens[:, :, 1:] == PAD, PAD), tokens[:, :, 1:]


def cross_entropy(
    decoder: Decoder, grid: Tensor, inputs: Tensor, targets: Tensor, smoothing: float, weights: Tensor | None = None
) -> tuple[Tensor, float]:
    """Cross-entropy with label smoothing (Szegedy et al. 2016, section 7).

    Args:
        grid: features (B, R, C).
        inputs, targets: inputs and targets (B, K, T) from `as_tensor`.
        weights: of the captions, (B, K); None: 1 each.

    Returns:
        The sum over words, and the number of words; both weighted.
    """
    is_word = targets != PAD
    logits = decoder.logits(decoder(grid, inputs)[is_word])  # (words, V)
    if weights is None:
        loss = F.cross_entropy(logits, targets[is_word], label_smoothing=smoothing, reduction="sum")
        return loss, float(is_word.sum())
    of_words = weights[..., None].expand_as(targets)[is_word]
    losses = F.cross_entropy(logits, targets[is_word], label_smoothing=smoothing, reduction="none")
    return (of_words * losses).sum(), float(of_words.sum())


@torch.no_grad()
def sample(decoder: Decoder, grid: Tensor, samples: int, max_words: int, temperature: float = 1.0) -> Tensor:
    """Sample sentences from the model: int64 (B, samples, T), with END or PAD after the last word."""
    memory, state = decoder.start(grid)
    state = {name: value.expand(-1, samples, *value.shape[2:]).contiguous() for name, value in state.items()}
    tokens = torch.full((len(grid), samples), START, device=grid.device)
    alive = torch.ones_like(tokens, dtype=torch.bool)
    sampled = []
    for _ in range(max_words + 1):
        log_probs, state, _ = decoder.step(tokens, memory, state)
        log_probs[..., [PAD, START, UNK]] = -torch.inf
        tokens = torch.multinomial((log_probs / temperature).softmax(-1).flatten(0, 1), 1).view_as(tokens)
        sampled.append(tokens.where(alive, PAD))
        alive = alive & (tokens != END)
        if not alive.any():
            break
    return torch.stack(sampled, -1)


def self_critical(
    decoder: Decoder,
    grid: Tensor,
    photos: Sequence[str],
    reward: Callable[[Sequence[str], Sequence[Sequence[Sequence[int]]]], np.ndarray],
    samples: int,
    max_words: int,
    temperature: float = 1.0,
) -> tuple[Tensor, int, float]:
    """Policy gradient with CIDEr-D as the reward (Rennie et al. 2017, eq. 7) and the leave-one-out baseline of Kool et
    al. (2019): the baseline of a sampled sentence is the mean reward of the photo's other samples.

    The reward counts END as a word, in references too; otherwise sentences would learn to stop after "with a".

    Args:
        grid: features (B, R, C).
        photos: the B photos' ids.
        reward: photos and their sampled sentences of word ids -> rewards (B, samples).

    Returns:
        The sum over words of -advantage * log-probability, the number of words, and the mean reward.
    """
    sampled = sample(decoder, grid, samples, max_words, temperature)  # (B, S, T)
    lines = [[[token for token in line if token != PAD] for line in of_photo] for of_photo in sampled.tolist()]
    rewards = torch.from_numpy(reward(photos, lines)).float()
    others = (rewards.sum(1, keepdim=True) - rewards) / (samples - 1)
    advantage = (rewards - others).to(grid.device)
    start = torch.full_like(sampled[..., :1], START)
    inputs = torch.cat([start, sampled[..., :-1]], -1)
    is_word = sampled != PAD
    logits = decoder.logits(decoder(grid, inputs)[is_word]) / temperature  # (words, V)
    logits[:, [PAD, START, UNK]] = -torch.inf  # as in sampling
    log_probs = logits.log_softmax(-1).gather(1, sampled[is_word][:, None])[:, 0]
    loss = -(advantage[..., None].expand_as(sampled)[is_word] * log_probs).sum()
    return loss, int(is_word.sum()), rewards.mean().item()
