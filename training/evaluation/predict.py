"""Captions photos of a data set with a model folder: from pixels, as in serving, or from cached features."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.caption_text import decoding_rules
from model.captioner import Captioner, Precision
from model.errors import DamagedModel, UnreadablePhoto
from model.hypotheses import Hypothesis
from model.model_folder import StoredModel
from model.preprocessing import read_photo
from training.data import Dataset, Example

BATCH = 16  # photos


@dataclass(frozen=True)
class InferenceOptions:
    """How to run the model: with an engine on pixels, or with PyTorch on the features of another encoder."""

    engine: str = "auto"
    precision: Precision = "auto"
    encoder_weights: str = ""  # as in a recipe; empty for the model's own encoder
    features: Path = Path("data/features")  # folder of cached features; those that are missing are computed
    length_penalty: float | None = None  # None for the model's


@dataclass(frozen=True)
class Predictions:
    """The captions of the photos."""

    hypotheses: dict[str, list[Hypothesis]]  # photo id -> the best caption and, with several beams, the second best
    unreadable: dict[str, str]  # photo id -> why the photo could not be read


def predict(
    folder: Path,
    stored: StoredModel,
    dataset: Dataset,
    examples: Sequence[Example],
    beams: int,
    inference: InferenceOptions,
) -> Predictions:
    """Caption these photos.

    Raises:
        DamagedModel: the folder has no encoder, and `inference` names none.
    """
    if inference.length_penalty is not None:
        stored = dataclasses.replace(
            stored, config=dataclasses.replace(stored.config, length_penalty=inference.length_penalty)
        )
    if inference.encoder_weights:
        return _from_features(stored, dataset, examples, beams, inference)
    if stored.encoder is None:
        raise DamagedModel(
            f"{folder} has no encoder: name the weights of the one it learnt from with --encoder-weights"
        )
    return _from_pixels(folder, stored, dataset, examples, beams, inference)


def _from_pixels(
    folder: Path,
    stored: StoredModel,
    dataset: Dataset,
    examples: Sequence[Example],
    beams: int,
    inference: InferenceOptions,
) -> Predictions:
    captioner = Captioner.load(folder, inference.engine, precision=inference.precision)
    captioner.rules = decoding_rules(stored.config, stored.vocabulary)
    hypotheses: dict[str, list[Hypothesis]] = {}
    unreadable: dict[str, str] = {}

    def read(example: Example) -> np.ndarray | None:
        try:
            return read_photo(dataset.photo_bytes(example), size=stored.config.photo_size)
        except UnreadablePhoto as error:
            unreadable[example.id] = f"{example.photo}: {error}"
            return None

    with ThreadPoolExecutor(2) as threads, tqdm(total=len(examples), unit="photo", disable=None) as bar:
        for start in range(0, len(examples), BATCH):
            batch = examples[start : start + BATCH]
            photos = {example.id: photo for example, photo in zip(batch, threads.map(read, batch), strict=True)}
            readable = {id: photo for id, photo in photos.items() if photo is not None}
            if readable:
                sentences = captioner.search([*readable.values()], beams=beams, nbest=min(2, beams))
                hypotheses |= zip(readable, sentences, strict=True)
            bar.update(len(batch))
    return Predictions(hypotheses, unreadable)


def _from_features(
    stored: StoredModel, dataset: Dataset, examples: Sequence[Example], beams: int, inference: InferenceOptions
) -> Predictions:
    import torch

    from training.features.decode import decode, load_decoder
    from training.features.encoder_weights import load_encoder
    from training.features.feature_cache import FeatureCache, cache_key, compute_features
    from training.features.feature_sources import CachedGrids

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = stored.config.encoder
    encoder = load_encoder(name, inference.encoder_weights)
    folder = inference.features / cache_key(name, encoder)
    unreadable = compute_features(dataset, examples, encoder, folder, device=device.type)
    hypotheses = decode(
        load_decoder(stored, device),
        CachedGrids(FeatureCache(folder), device),
        [example for example in examples if example.id not in unreadable],
        decoding_rules(stored.config, stored.vocabulary),
        beams=beams,
        nbest=min(2, beams),
        progress="decoding",
    )
    return Predictions(hypotheses, unreadable)
