"""Captions for photos of a data set from a model folder: from pixels, as it serves, or from cached features."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.beam_search import Hypothesis
from model.captioner import Captioner, Precision
from model.checkpoint import StoredModel
from model.errors import DamagedModel, UnreadablePhoto
from model.photos import read_photo
from model.sentences import decoding_rules
from training.data import Dataset, Example

BATCH = 16  # photos


@dataclass(frozen=True)
class Method:
    """How captions are made: by an engine from pixels, or by PyTorch from the features of another encoder."""

    engine: str = "auto"
    precision: Precision = "auto"
    encoder_weights: str = ""  # as in a recipe; empty: the model's own encoder, from pixels
    features: Path = Path("data/features")  # where cached features lie; those that are missing are computed
    length_penalty: float | None = None  # None: the model's


@dataclass(frozen=True)
class Described:
    """What was said of the photos."""

    found: dict[str, list[Hypothesis]]  # id -> best sentence and, with several beams, the second best
    broken: dict[str, str]  # photos that could not be read: id -> reason


def describe(
    folder: Path, stored: StoredModel, dataset: Dataset, examples: Sequence[Example], beams: int, method: Method
) -> Described:
    """Decode these photos. Raises DamagedModel when the folder has no encoder and no other one is named."""
    if method.length_penalty is not None:
        stored = dataclasses.replace(
            stored, config=dataclasses.replace(stored.config, length_penalty=method.length_penalty)
        )
    if method.encoder_weights:
        return _from_features(stored, dataset, examples, beams, method)
    if stored.encoder is None:
        raise DamagedModel(
            f"{folder} has no encoder: name the weights of the one it learnt from with --encoder-weights"
        )
    return _from_pixels(folder, stored, dataset, examples, beams, method)


def _from_pixels(
    folder: Path, stored: StoredModel, dataset: Dataset, examples: Sequence[Example], beams: int, method: Method
) -> Described:
    captioner = Captioner.load(folder, method.engine, precision=method.precision)
    captioner.rules = decoding_rules(stored.config, stored.vocabulary)
    found: dict[str, list[Hypothesis]] = {}
    broken: dict[str, str] = {}

    def read(example: Example) -> np.ndarray | None:
        try:
            return read_photo(dataset.photo_bytes(example), size=stored.config.photo_size)
        except UnreadablePhoto as error:
            broken[example.id] = f"{example.photo}: {error}"
            return None

    with ThreadPoolExecutor(2) as threads, tqdm(total=len(examples), unit="photo", disable=None) as bar:
        for start in range(0, len(examples), BATCH):
            part = examples[start : start + BATCH]
            photos = {example.id: photo for example, photo in zip(part, threads.map(read, part), strict=True)}
            good = {id: photo for id, photo in photos.items() if photo is not None}
            if good:
                sentences = captioner.search([*good.values()], beams=beams, nbest=min(2, beams))
                found |= zip(good, sentences, strict=True)
            bar.update(len(part))
    return Described(found, broken)


def _from_features(
    stored: StoredModel, dataset: Dataset, examples: Sequence[Example], beams: int, method: Method
) -> Described:
    import torch

    from model.decoders import build_decoder
    from training.decode import decode
    from training.encoder_weights import load_encoder
    from training.features import Features, compute_features, key_of
    from training.grids import CachedGrids

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = stored.config.encoder
    encoder = load_encoder(name, method.encoder_weights)
    folder = method.features / key_of(name, encoder)
    broken = compute_features(dataset, examples, encoder, folder, device=device.type)
    decoder = build_decoder(stored.config).to(device)
    decoder.load_state_dict({name: torch.from_numpy(value).float() for name, value in stored.decoder.items()})
    found = decode(
        decoder,
        CachedGrids(Features(folder), device),
        [example for example in examples if example.id not in broken],
        decoding_rules(stored.config, stored.vocabulary),
        beams=beams,
        nbest=min(2, beams),
        progress="decoding",
    )
    return Described(found, broken)
