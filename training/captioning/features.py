"""The features that a captioning run learns from: cached or live; in float32, or of 8-bit integers as is served."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from model.model_folder import load_model
from model.openvino.quantization import Quantization
from model.pytorch.decoders import load_weights
from training.captioning.recipe import Recipe
from training.data import Dataset, Example
from training.features.encoder_weights import stored_weights
from training.features.fast_inference import Int8Encoder
from training.features.feature_cache import FeatureCache, cache_key, compute_features
from training.features.feature_sources import CachedGrids, Grids, LiveGrids
from training.runs import distributed


def features_quantization(recipe: Recipe, dataset: Dataset, encoder: nn.Module) -> Quantization | None:
    """What 8-bit features need, if the recipe asks for them: the encoder's own, or made now, which rounds its weights.

    The run's model folder keeps it, so that it is served with the same. The main process makes it for all.
    """
    if recipe.feature_precision == "auto":
        return None
    weights, quantization = distributed.broadcast_from_main(lambda: _quantize(recipe, dataset, encoder))
    load_weights(encoder, weights)
    return quantization


def _quantize(recipe: Recipe, dataset: Dataset, encoder: nn.Module) -> tuple[dict[str, np.ndarray], Quantization]:
    """The weights, rounded, and the rest."""
    from training.packaging.quantize import calibration_photos, quantize  # needs OpenVINO

    weights, source = stored_weights(encoder), Path(recipe.encoder_weights)
    if source.is_dir() and (known := load_model(source).quantization):
        return weights, Quantization.from_json(known, weights)
    return quantize(weights, recipe.encoder, calibration_photos(dataset))


def feature_grids(
    recipe: Recipe,
    dataset: Dataset,
    train: Sequence[Example],
    val: Sequence[Example],
    encoder: nn.Module,
    quantization: Quantization | None,
    device: torch.device,
) -> tuple[Grids, dict[str, str]]:
    """The source of features, and photo id -> why the photo cannot be read. The main process reads all photos."""
    if recipe.live:
        live = LiveGrids(dataset, encoder, recipe.tuned_stages, device)
        return live, distributed.broadcast_from_main(lambda: live.read_all([*train, *val]))

    folder = Path(recipe.features) / cache_key(recipe.encoder, encoder, quantization)

    def compute() -> dict[str, str]:  # validation photos are not augmented
        int8 = Int8Encoder(recipe.encoder, stored_weights(encoder), quantization) if quantization else None
        kept = partial(compute_features, dataset, encoder=encoder, folder=folder, device=device.type, int8=int8)
        unreadable = kept(examples=[*train, *val])
        good = [example for example in train if example.id not in unreadable]
        return unreadable | kept(examples=good, views=recipe.views)

    unreadable = distributed.broadcast_from_main(compute)
    return CachedGrids(FeatureCache(folder, recipe.views), device), unreadable
