"""The losses of learning from feedback: DPO for corrections over shown captions, KTO for single votes.

Both compare the model with the reference, a copy of the model before training. The ratio of a sentence is
log p(sentence) - log p_reference(sentence), here as the mean over its words and END: the sum would grow with the
length, and a model could lower the loss by shorter or longer sentences alone (Meng et al. 2024, section 2.2).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from model.pytorch.decoders import Decoder
from model.vocabulary import PAD


def log_probs(decoder: Decoder, grid: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of sentences.

    Args:
        grid: features (B, R, C).
        inputs, targets: inputs and targets (B, K, T) from `as_tensor`.

    Returns:
        The sum over the words of each sentence and its number of words, END included, both (B, K). Padding has 0 and 0.
    """
    is_word = targets != PAD
    losses = F.cross_entropy(decoder.logits(decoder(grid, inputs)[is_word]).float(), targets[is_word], reduction="none")
    per_word = torch.zeros(targets.shape, device=grid.device).masked_scatter(is_word, -losses)
    return per_word.sum(-1), is_word.sum(-1)


def mean_log_ratio(log_prob: Tensor, reference: Tensor, words: Tensor) -> Tensor:
    """Mean log-ratio of a word of each sentence to the reference, in nats.

    Args:
        log_prob, reference: summed log-probabilities by the model and by the reference.
        words: number of words.
    """
    return (log_prob - reference) / words.clamp(min=1)


def dpo_loss(preferred: Tensor, rejected: Tensor, beta: float) -> Tensor:
    """Direct preference optimisation (Rafailov et al. 2023, eq. 7): losses (N,) of pairs.

    Args:
        preferred, rejected: log-ratios (N,) of the better and the worse sentence of each pair.
    """
    return -F.logsigmoid(beta * (preferred - rejected))


def kto_loss(ratio: Tensor, up: Tensor, down: Tensor, reference_point: Tensor, beta: float) -> Tensor:
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, eq. 8) of single sentences.

    Args:
        ratio: of each sentence, any shape.
        up, down: summed weights of the votes for and against each sentence.
        reference_point: z_0, a scalar: the mean ratio of sentences on photos that they do not belong to. No gradient
            flows through it.

    Returns:
        The loss of each sentence.
    """
    reference_point = reference_point.detach().clamp(min=0)
    return up * (1 - torch.sigmoid(beta * (ratio - reference_point))) + down * (
        1 - torch.sigmoid(beta * (reference_point - ratio))
    )
