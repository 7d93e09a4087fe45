"""What training makes small: cross-entropy against people's captions, then minus the reward of its own."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.decoders import Decoder
from model.vocabulary import END, PAD, START, UNK


def as_tensor(captions: Sequence[Sequence[Sequence[int]]], max_words: int) -> tuple[Tensor, Tensor]:
    """Ids of K captions for each of B photos -> what goes in and what should come out, both int64 (B, K, T).

    In: start and the words. Out: the words and the end. T is `max_words` and the end, or less if all are shorter; a
    longer caption is cut there and gets no end, so that the model does not learn to stop. The rest is padded.
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
    decoder: Decoder, grid: Tensor, given: Tensor, wanted: Tensor, smoothing: float
) -> tuple[Tensor, int]:
    """Sum over words of the smoothed cross-entropy (Szegedy et al. 2016, section 7), and the number of words.

    grid (B, R, C); given, wanted (B, K, T) from `as_tensor`.
    """
    real = wanted != PAD
    logits = decoder.logits(decoder(grid, given)[real])  # (words, V)
    loss = F.cross_entropy(logits, wanted[real], label_smoothing=smoothing, reduction="sum")
    return loss, int(real.sum())


@torch.no_grad()
def sample(decoder: Decoder, grid: Tensor, samples: int, max_words: int, temperature: float = 1.0) -> Tensor:
    """Sentences drawn from the model: int64 (B, samples, T), END or PAD after the last word."""
    memory, state = decoder.start(grid)
    state = {name: value.expand(-1, samples, *value.shape[2:]).contiguous() for name, value in state.items()}
    tokens = torch.full((len(grid), samples), START, device=grid.device)
    alive = torch.ones_like(tokens, dtype=torch.bool)
    drawn = []
    for _ in range(max_words + 1):
        log_probs, state, _ = decoder.step(tokens, memory, state)
        log_probs[..., [PAD, START, UNK]] = -torch.inf
        tokens = torch.multinomial((log_probs / temperature).softmax(-1).flatten(0, 1), 1).view_as(tokens)
        drawn.append(tokens.where(alive, PAD))
        alive = alive & (tokens != END)
        if not alive.any():
            break
    return torch.stack(drawn, -1)


def self_critical(
    decoder: Decoder,
    grid: Tensor,
    photos: Sequence[str],
    reward: Callable[[Sequence[str], Sequence[Sequence[Sequence[int]]]], np.ndarray],
    samples: int,
    max_words: int,
    temperature: float = 1.0,
) -> tuple[Tensor, int, float]:
    """Policy gradient on CIDEr-D (Rennie et al. 2017, eq. 7) with the leave-one-out baseline of Kool et al. (2019).

    Each of a photo's sampled sentences is judged against the mean reward of its other samples. The reward sees the end
    token, in references too, or sentences would learn to stop after "with a". Returns the sum over words of
    -advantage * log-probability, the number of words, and the mean reward.
    """
    drawn = sample(decoder, grid, samples, max_words, temperature)  # (B, S, T)
    lines = [[[token for token in line if token != PAD] for line in of_photo] for of_photo in drawn.tolist()]
    rewards = torch.from_numpy(reward(photos, lines)).float()
    others = (rewards.sum(1, keepdim=True) - rewards) / (samples - 1)
    advantage = (rewards - others).to(grid.device)
    start = torch.full_like(drawn[..., :1], START)
    given = torch.cat([start, drawn[..., :-1]], -1)
    real = drawn != PAD
    logits = decoder.logits(decoder(grid, given)[real]) / temperature  # (words, V)
    logits[:, [PAD, START, UNK]] = -torch.inf  # as they were when the words were drawn
    log_probs = logits.log_softmax(-1).gather(1, drawn[real][:, None])[:, 0]
    loss = -(advantage[..., None].expand_as(drawn)[real] * log_probs).sum()
    return loss, int(real.sum()), rewards.mean().item()
