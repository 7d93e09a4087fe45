"""Static 8-bit quantisation: rounds an encoder's weights, and measures the ranges of its activations.

    quantize_model(Path("data/runs/attention/best"), calibration_photos(load_dataset(Path("flickr8k"))))

Each activation gets one range. If it is too narrow, large values are clipped; if it is too wide, all others are rounded
coarsely. Here the range is a quantile over photos of each photo's largest value. In some photos a single cell is a
hundred times as large as usual. The overall maximum, the mean over photos or the least squared error would be
determined by those few outliers, and leave only a handful of levels for all other photos.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.errors import BadData, DamagedModel, UnreadablePhoto
from model.model_folder import CARD, load_model, save_model
from model.openvino.encoders import encoder
from model.openvino.layers import Graph
from model.openvino.quantization import Quantization, fingerprint
from model.openvino.runtime import compile_graph, openvino, opset
from model.preprocessing import read_photo
from training.data import Dataset
from training.packaging.round_encoder import round_encoder

# Chosen on dev photos: CIDEr 0.539, 0.543 and 0.539 at 0.6, 0.65 and 0.7 for the bundled model, 0.545 in float32. At
# 0.85 typical values are rounded twice as coarsely.
QUANTILE = 0.65
PHOTOS = 300
BATCH = 8


def quantize_model(folder: Path, photos: Sequence[np.ndarray]) -> Quantization:
    """Quantise the encoder of a model folder: its weights and `quantization.json` change. Raises DamagedModel."""
    stored = load_model(folder)
    if stored.encoder is None:
        raise DamagedModel(f"{folder}: has no encoder to quantise")
    known = stored.quantization
    if known and known.get("scales"):  # its weights are rounded: to round them again would only move them
        scales = Quantization.from_json(known, stored.encoder).scales
        measured = measure_ranges(stored.encoder, stored.config.encoder, photos)
        measured = dataclasses.replace(measured, scales=scales)
    else:
        weights, measured = quantize(stored.encoder, stored.config.encoder, photos)
        stored = dataclasses.replace(stored, encoder=weights)
    card, pictures = (folder / CARD).read_text(), {path.name: path.read_bytes() for path in folder.glob("*.png")}
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, stored.metrics, card)
    save_model(folder, *parts, stored.confidence, measured.to_json(), pictures)
    return measured


def quantize(
    weights: Mapping[str, np.ndarray], name: str, photos: Sequence[np.ndarray]
) -> tuple[dict[str, np.ndarray], Quantization]:
    """Round an encoder's weights and measure its ranges. Arguments as of `measure_ranges`. Raises BadData."""
    if not len(photos):
        raise BadData("no photo to measure activations on; give a data set with training photos")
    rounded, scales = round_encoder(weights, name, photos)
    return rounded, dataclasses.replace(measure_ranges(rounded, name, photos), scales=scales)


def measure_ranges(
    weights: Mapping[str, np.ndarray], name: str, photos: Sequence[np.ndarray], quantile: float = QUANTILE
) -> Quantization:
    """Run an encoder in float32 and measure the range of each activation.

    Args:
        weights: of the encoder.
        name: its architecture.
        photos: training photos, uint8 (size, size, 3).

    Raises:
        BadData: there are no photos.
    """
    if not len(photos):
        raise BadData("no photo to measure activations on; give a data set with training photos")
    graph = Graph(weights)
    parameter, pixels = graph.photos(photos[0].shape[0])
    encoder(graph, name, pixels)
    axes = opset.constant(np.array([1, 2, 3]))
    extremes = [
        reduce(node, axes) for reduce in (opset.reduce_min, opset.reduce_max) for node in graph.activations.values()
    ]
    compiled = compile_graph(openvino.Model([opset.result(node) for node in extremes], [parameter], "extremes"))
    seen = []
    for start in tqdm(range(0, len(photos), BATCH), desc="ranges", unit="batch", disable=None):
        results = compiled([np.stack(photos[start : start + BATCH])])
        seen.append(np.stack([results[number] for number in range(len(extremes))], 1))
    lows, highs = np.split(np.concatenate(seen), 2, axis=1)  # (photos, points) each
    low = np.minimum(np.quantile(lows, 1 - quantile, axis=0), 0)
    high = np.maximum(np.quantile(highs, quantile, axis=0), 1e-6)
    limits = zip(graph.activations, low.tolist(), high.tolist(), strict=True)
    return Quantization(
        fingerprint(weights), len(photos), quantile, {name: (least, most) for name, least, most in limits}
    )


def calibration_photos(dataset: Dataset, count: int = PHOTOS, seed: int = 0) -> list[np.ndarray]:
    """Draw `count` training photos at random and read them. Unreadable ones are skipped."""
    examples = dataset.split("train")
    photos: list[np.ndarray] = []
    for number in np.random.default_rng(seed).permutation(len(examples)):
        if len(photos) == count:
            break
        try:
            photos.append(read_photo(dataset.photo_bytes(examples[number])))
        except UnreadablePhoto:
            continue
    return photos
