"""Measure how to run an encoder on 8-bit integers, and put the result into its model folder.

quantize_model(Path("data/runs/attention/best"), calibration_photos(load_dataset(Path("flickr8k"))))

Each activation gets one range: too narrow cuts large values off, too wide rounds all others coarsely. Here it is what a
typical photo needs: of each photo the largest value is taken, and of these a quantile over the photos. In some photos a
single cell explodes to a hundred times what is usual; the largest value of all, its mean over photos, or the least
squared error would all give in to those few, and round every other photo to a handful of levels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.checkpoint import CARD, load_model, save_model
from model.errors import BadData, DamagedModel, UnreadablePhoto
from model.openvino_encoders import encoder
from model.openvino_graph import Graph
from model.openvino_runtime import compile_graph, openvino, opset
from model.photos import read_photo
from model.quantization import Quantization, fingerprint
from training.data import Dataset

# Chosen on dev photos: CIDEr 0.539, 0.543 and 0.539 at 0.6, 0.65 and 0.7 for the bundled model, in float32 0.545. At
# 0.85 all that is usual is rounded twice as coarsely.
QUANTILE = 0.65
PHOTOS = 300
BATCH = 8


def quantize_model(folder: Path, photos: Sequence[np.ndarray]) -> Quantization:
    """Measure the folder's encoder on these photos and write `quantization.json`. Raises DamagedModel."""
    stored = load_model(folder)
    if stored.encoder is None:
        raise DamagedModel(f"{folder}: has no encoder to quantise")
    measured = measure_ranges(stored.encoder, stored.config.encoder, photos)
    card, pictures = (folder / CARD).read_text(), {path.name: path.read_bytes() for path in folder.glob("*.png")}
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, stored.metrics, card)
    save_model(folder, *parts, stored.confidence, measured.to_json(), pictures)
    return measured


def measure_ranges(
    weights: Mapping[str, np.ndarray], name: str, photos: Sequence[np.ndarray], quantile: float = QUANTILE
) -> Quantization:
    """Run the encoder in float32 and note each activation's extremes. photos: uint8 (size, size, 3), of training."""
    if not len(photos):
        raise BadData("no photo to measure activations on; give a data set with training photos")
    graph = Graph(weights)
    parameter, pixels = graph.photos(photos[0].shape[0])
    encoder(graph, name, pixels)
    axes = opset.constant(np.array([1, 2, 3]))
    extremes = [reduce(node, axes) for reduce in (opset.reduce_min, opset.reduce_max) for node in graph.points.values()]
    compiled = compile_graph(openvino.Model([opset.result(node) for node in extremes], [parameter], "extremes"))
    seen = []
    for start in tqdm(range(0, len(photos), BATCH), desc="ranges", unit="batch", disable=None):
        results = compiled([np.stack(photos[start : start + BATCH])])
        seen.append(np.stack([results[number] for number in range(len(extremes))], 1))
    lows, highs = np.split(np.concatenate(seen), 2, axis=1)  # (photos, points) each
    low = np.minimum(np.quantile(lows, 1 - quantile, axis=0), 0)
    high = np.maximum(np.quantile(highs, quantile, axis=0), 1e-6)
    limits = zip(graph.points, low.tolist(), high.tolist(), strict=True)
    return Quantization(
        fingerprint(weights), len(photos), quantile, {name: (least, most) for name, least, most in limits}
    )


def calibration_photos(dataset: Dataset, count: int = PHOTOS, seed: int = 0) -> list[np.ndarray]:
    """Pixels of `count` photos of the training split, drawn at random. Unreadable ones are skipped."""
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
