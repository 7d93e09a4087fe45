"""Makes a trained decoder say rare words more often, without training it again.

Self-critical training raises what is often right and so forgets rare words. Decoding with log p(word) - tau * log(how
often the word is in the training captions) corrects that: the post-hoc logit adjustment of Menon et al. 2021
("Long-tail learning via logit adjustment", section 4.1), for captions proposed by Honda et al. 2023 ("Switching to
discriminative image captioning by relieving a bottleneck of reinforcement learning"). It is added to the bias of the
decoder's last layer, so engines need not know about it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from model.vocabulary import SPECIAL, Vocabulary

BIAS = "bias"  # of the decoder's last layer, (words of the vocabulary,)


def favour_rare_words(
    decoder: Mapping[str, np.ndarray], vocabulary: Vocabulary, captions: Iterable[Sequence[str]], tau: float
) -> dict[str, np.ndarray]:
    """The decoder's weights with another bias.

    Args:
        captions: of the training photos, tokenised.
        tau: strength; 0 changes nothing. The special tokens stay as they are, and the other words are compared with a
            word of mean log-frequency, so that captions do not become longer.
    """
    counts = Counter(word for caption in captions for word in caption)
    frequency = np.array([counts[word] for word in vocabulary.words], np.float64)
    frequency[: len(SPECIAL)] = 0
    known = frequency > 0
    adjustment = np.zeros(len(frequency))
    if known.any():
        logs = np.log(frequency[known])
        adjustment[known] = tau * (logs.mean() - logs)
    bias = decoder[BIAS]
    return {**decoder, BIAS: (bias + adjustment).astype(bias.dtype)}
