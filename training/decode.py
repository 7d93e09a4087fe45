"""Captions for many photos from a decoder and grids, for validation and evaluation."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from tqdm import tqdm

from model.beam_search import Hypothesis, Rules, beam_search
from model.decoders import Arrays, Decoder
from model.vocabulary import Vocabulary
from training.data import Example
from training.grids import Grids, ahead, batches


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
    """Photo id -> its `nbest` sentences, best first. `progress` names a progress bar; None shows none."""
    was_training = decoder.training
    decoder.eval()
    found: dict[str, list[Hypothesis]] = {}
    with tqdm(total=len(examples), desc=progress, unit="photo", disable=None if progress else True) as bar:
        for part, grid in ahead(grids, batches(examples, batch, None), None):
            memory, state = decoder.start(grid)
            step = partial(_step, decoder, memory)
            results = beam_search(step, state, beams=beams, rules=rules, nbest=nbest)
            found |= {example.id: hypotheses for example, hypotheses in zip(part, results, strict=True)}
            bar.update(len(part))
    decoder.train(was_training)
    return found


def words_of(found: dict[str, list[Hypothesis]], vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Photo id -> the words of its best sentence."""
    return {photo: vocabulary.decode(hypotheses[0].tokens) for photo, hypotheses in found.items()}


def _step(decoder: Decoder, memory: Arrays, tokens: Tensor, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
    """The decoder's step with the arguments in the order that beam search wants."""
    return decoder.step(tokens, memory, state)
