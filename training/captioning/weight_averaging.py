"""Averages the weights of several trained decoders; the mean is often better than each (Wortsman et al. 2022).

    captionbot average runs/a/cross_entropy runs/a/self_critical --out runs/averaged

Works for decoders that were trained from the same start; the mean of decoders with different starts is useless.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.errors import BadData
from model.model_folder import load_model, save_model


def average(folders: Sequence[Path], out: Path) -> None:
    """Write a model folder with the mean of the decoders; everything else is the first folder's.

    Raises:
        BadData: the models differ in configuration or vocabulary.
        DamagedModel: a folder is not a whole model folder.
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
    parts = (first.config, first.vocabulary, first.encoder, decoder, metrics, card)
    save_model(out, *parts, quantization=first.quantization)
