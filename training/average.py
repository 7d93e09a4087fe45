"""The mean of several trained decoders: often better than each of them (model soups, Wortsman et al. 2022).

    captionbot average runs/a/cross_entropy runs/a/self_critical --out runs/averaged

Works for decoders that went different ways from one start; those of different starts have no mean worth anything.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.checkpoint import load_model, save_model
from model.errors import BadData


def average(folders: Sequence[Path], out: Path) -> None:
    """Write a model folder with the mean of the decoders; all else, the encoder too, is the first folder's.

    Raises BadData where the decoders differ in form or vocabulary, DamagedModel.
    """
    models = [load_model(folder) for folder in folders]
    first = models[0]
    for folder, model in zip(folders, models, strict=True):
        if (model.config, model.vocabulary.words) != (first.config, first.vocabulary.words):
            raise BadData(f"{folder} and {folders[0]} differ in configuration or vocabulary; they have no mean")
    decoder = {
        name: np.mean([model.decoder[name].astype(np.float32) for model in models], axis=0) for name in first.decoder
    }
    metrics = {"averaged": [{"version": model.version, **model.metrics} for model in models]}
    card = f"The mean of {len(models)} decoders.\n"
    save_model(out, first.config, first.vocabulary, first.encoder, decoder, metrics, card)
