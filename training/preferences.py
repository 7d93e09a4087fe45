"""What people's judgement makes small: preferring a correction to what was shown, and thumbs that come one by one.

Both compare the model with what it was when it started, the reference. A sentence's ratio is how much likelier it has
become, log p(sentence) - log p_reference(sentence), here the mean over its words and its end: the sum would grow with
the length, and a model could please by getting shorter or longer alone (Meng et al. 2024, section 2.2).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from model.decoders import Decoder
from model.vocabulary import PAD


def log_probs(decoder: Decoder, grid: Tensor, given: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over words of the log-probability of each sentence, and its number of words, end included: both (B, K).

    grid (B, R, C); given, wanted (B, K, T) from `as_tensor`. A sentence that is only padding has 0 and 0.
    """
    real = wanted != PAD
    losses = F.cross_entropy(decoder.logits(decoder(grid, given)[real]).float(), wanted[real], reduction="none")
    per_word = torch.zeros(wanted.shape, device=grid.device).masked_scatter(real, -losses)
    return per_word.sum(-1), real.sum(-1)


def mean_ratio(log_prob: Tensor, reference: Tensor, words: Tensor) -> Tensor:
    """How much likelier a word of each sentence has become, in nats."""
    return (log_prob - reference) / words.clamp(min=1)


def preference(better: Tensor, worse: Tensor, beta: float) -> Tensor:
    """Direct preference optimisation of pairs (Rafailov et al. 2023, eq. 7), by ratios (N,) -> (N,)."""
    return -F.logsigmoid(beta * (better - worse))


def thumbs(ratio: Tensor, up: Tensor, down: Tensor, usual: Tensor, beta: float) -> Tensor:
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, eq. 8) of single sentences, by ratios (N,) -> (N,).

    up, down: what the votes for and against each sentence weigh. usual: how much likelier the model has made a sentence
    that belongs to another photo, a scalar; no gradient flows through it.
    """
    usual = usual.detach().clamp(min=0)
    return up * (1 - torch.sigmoid(beta * (ratio - usual))) + down * (1 - torch.sigmoid(beta * (usual - ratio)))
