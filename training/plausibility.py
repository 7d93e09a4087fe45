"""Which corrections fit their photo: one that fits any other photo as well was not written about this one.

What a current model makes of a sentence is a weak judge of its truth, but a strong one of whether it is about the photo
at all: it is compared with the same sentence on other photos, so that long and rare words cost nothing.
"""

from collections.abc import Sequence

import numpy as np
import torch

from model.decoders import Decoder
from model.vocabulary import Vocabulary
from training.data import Example
from training.feedback import Words
from training.grids import Grids
from training.objectives import as_tensor
from training.preferences import log_probs

OTHERS = 15  # photos that a sentence is tried on besides its own
BETTER_THAN = 0.5  # of these its own photo must be the likelier one


@torch.inference_mode()
def plausible(
    decoder: Decoder, vocabulary: Vocabulary, grids: Grids, written: Sequence[tuple[Example, Words]], max_words: int
) -> np.ndarray:
    """Whether each sentence is likelier on its own photo than on most of 15 others with feedback: bool (N,)."""
    photos = list(dict.fromkeys(example for example, _ in written))
    number = {example.id: place for place, example in enumerate(photos)}
    size = min(OTHERS + 1, len(photos))
    fits = np.ones(len(written), dtype=bool)
    for start in range(0, len(photos), size):
        group = photos[max(0, min(start, len(photos) - size)) :][:size]
        theirs = [row for row, (example, _) in enumerate(written) if start <= number[example.id] < start + size]
        sentences = [vocabulary.encode(written[row][1]) for row in theirs]
        given, wanted = (tokens.expand(len(group), -1, -1) for tokens in as_tensor([sentences], max_words))
        likely, _ = log_probs(decoder, grids(group), given, wanted)  # (photos, sentences)
        for column, row in enumerate(theirs):
            own = group.index(written[row][0])
            others = np.delete(likely[:, column].cpu().numpy(), own)
            if others.size:
                fits[row] = (likely[own, column].item() > others).mean() > BETTER_THAN
    return fits
