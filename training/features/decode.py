"""Loads a decoder from a model folder, and captions many photos with it: for validation and evaluation."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from tqdm import tqdm

from model.beam_search import beam_search
from model.hypotheses import Hypothesis, Rules
from model.model_folder import StoredModel
from model.pytorch.decoders import Arrays, Decoder, build_decoder, load_weights
from model.vocabulary import Vocabulary
from training.data import Example
from training.features.feature_sources import Grids, batches, prefetch


def load_decoder(stored: StoredModel, device: torch.device) -> Decoder:
    """The decoder of a model folder, in float32. Raises DamagedModel if its weights do not fit its configuration."""
    decoder = build_decoder(stored.config)
    load_weights(decoder, stored.decoder)
    return decoder.to(device)


@torch.inference_mode()
def decode(
    decoder: Decoder,
    grids: Grids,
    examples: Sequence[Example],
    rules: Rules,
    *,
    beams: int = 3,
    nbest: int = 1,
    batch: int = 100,
    progress: str | None = None,
) -> dict[str, list[Hypothesis]]:
    """Caption photos by beam search.

    Args:
        progress: title of a progress bar; None for no bar.

    Returns:
        Photo id -> its `nbest` captions, best first.
    """
    was_training = decoder.training
    decoder.eval()
    found: dict[str, list[Hypothesis]] = {}
    with tqdm(total=len(examples), desc=progress, unit="photo", disable=None if progress else True) as bar:
        for part, grid in prefetch(grids, batches(examples, batch, None), None):
            memory, state = decoder.start(grid)
            step = partial(_step, decoder, memory)
            results = beam_search(step, state, beams=beams, rules=rules, nbest=nbest)
            found |= {example.id: hypotheses for example, hypotheses in zip(part, results, strict=True)}
            bar.update(len(part))
    decoder.train(was_training)
    return found


def words_of(found: dict[str, list[Hypothesis]], vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Photo id -> the words of its best caption."""
    return {photo: vocabulary.decode(hypotheses[0].tokens) for photo, hypotheses in found.items()}


def _step(decoder: Decoder, memory: Arrays, tokens: Tensor, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
    """`Decoder.step` with its arguments in the order that beam search expects."""
    return decoder.step(tokens, memory, state)
