"""Filters out corrections that fit other photos as well as their own: they were not written about this photo.

The current model's probability of a sentence says little about its truth, but much about whether it is about the photo
at all. It is compared with the same sentence on other photos, so that long sentences and rare words are no handicap.
"""

from collections.abc import Sequence

import numpy as np
import torch

from model.pytorch.decoders import Decoder
from model.vocabulary import Vocabulary
from training.captioning.losses import as_tensor
from training.data import Example
from training.features.feature_sources import Grids
from training.feedback.dataset import Words
from training.feedback.losses import log_probs

OTHERS = 15  # photos that a sentence is compared on, besides its own
BETTER_THAN = 0.5  # share of them on which it must be less probable


@torch.inference_mode()
def plausible(
    decoder: Decoder, vocabulary: Vocabulary, grids: Grids, corrections: Sequence[tuple[Example, Words]], max_words: int
) -> np.ndarray:
    """Whether each sentence is more probable on its own photo than on most of 15 others with feedback: bool (N,)."""
    photos = list(dict.fromkeys(example for example, _ in corrections))
    number = {example.id: place for place, example in enumerate(photos)}
    size = min(OTHERS + 1, len(photos))
    fits = np.ones(len(corrections), dtype=bool)
    for start in range(0, len(photos), size):
        group = photos[max(0, min(start, len(photos) - size)) :][:size]
        rows = [row for row, (example, _) in enumerate(corrections) if start <= number[example.id] < start + size]
        sentences = [vocabulary.encode(corrections[row][1]) for row in rows]
        inputs, targets = (tokens.expand(len(group), -1, -1) for tokens in as_tensor([sentences], max_words))
        log_probabilities, _ = log_probs(decoder, grids(group), inputs, targets)  # (photos, sentences)
        for column, row in enumerate(rows):
            own = group.index(corrections[row][0])
            others = np.delete(log_probabilities[:, column].cpu().numpy(), own)
            if others.size:
                fits[row] = (log_probabilities[own, column].item() > others).mean() > BETTER_THAN
    return fits
