"""Rounds an encoder's weights to steps of 8-bit integers, so that its features change little.

Weights that are rounded one by one err by up to half a step each, and what a convolution gives errs accordingly. Its
inputs are correlated, so that errors can be chosen which nearly cancel: `round_together`, with second moments measured
on photos. For the bundled encoder the feature grid's squared error from rounding all weights falls from 0.0033 of its
own square to 0.0004.

The rounded weights are stored as any others, and their steps in quantization.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from model.openvino.encoders import encoder
from model.openvino.layers import Graph, Node
from model.openvino.runtime import compile_graph, openvino, opset
from model.openvino.weight_rounding import MAX_PAIR_SUM, error_shares, round_together, round_weights, weight_scale

PHOTOS = 128
BATCH = 8
PATCHES = 64  # of each photo, places at which a convolution's inputs are read; a map of 7 x 7 has 49
WIDEST = 2400  # inputs; the cost grows with their cube, and three of a ResNet50's convolutions have 4,608
TRIES = 5  # to find a step with which no two integers are too large together
ALLOWED = 128 / MAX_PAIR_SUM + 1e-4  # 128 times 255 is still 16 bits


@dataclass(frozen=True)
class _Convolution:
    """A convolution of the graph: its input, and what is needed to fold and to read it."""

    x: Node
    norm: str | None
    stride: int
    padding: int


class _Recorder(Graph):
    """A float32 graph that remembers its convolutions.

    Except the first, whose rounding needs no photos, and the widest, whose rounding counts little.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        super().__init__(weights)
        self.convolutions: dict[str, _Convolution] = {}

    def convolution(
        self, x: Node, name: str, norm: str | None = None, *, stride: int = 1, padding: int = 0, first: bool = False
    ) -> Node:
        if not first and self.weight(f"{name}.weight")[0].size <= WIDEST:
            self.convolutions[name] = _Convolution(x, norm, stride, padding)
        return super().convolution(x, name, norm, stride=stride, padding=padding, first=first)

    def fold(self, name: str) -> np.ndarray:
        """What the batch norm multiplies each output channel's weights with, (outputs, 1, 1, 1)."""
        norm = self.convolutions[name].norm
        return np.ones((1, 1, 1, 1), np.float32) if norm is None else self.norm(norm)[0][:, None, None, None]


def round_encoder(
    weights: Mapping[str, np.ndarray], name: str, photos: Sequence[np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Round the weights of an encoder's convolutions.

    Args:
        weights: of the encoder, with torchvision's names.
        name: its architecture.
        photos: training photos, uint8 (size, size, 3); the first 128 are used.

    Returns:
        All weights, of the same types; and the scales of those that are rounded, see Quantization.
    """
    graph = _Recorder(weights)
    parameter, pixels = graph.photos(photos[0].shape[0])
    encoder(graph, name, pixels)
    moments = _moments(graph, parameter, photos[:PHOTOS])
    rounded, scales = dict(weights), {}
    for conv in tqdm(graph.convolutions, desc="rounding weights", unit="layer", disable=None):
        fold, key = graph.fold(conv), f"{conv}.weight"
        values = graph.weight(key) * fold
        whole, scale = _round(values.reshape(len(values), -1), values, moments.pop(conv))
        usable = np.where(fold == 0, 1, fold)  # a batch norm may multiply by 0: then the weight does not matter
        rounded[key] = (whole.reshape(values.shape) * scale.reshape(-1, 1, 1, 1) / usable).astype(weights[key].dtype)
        scales[conv] = scale.tolist()
    return rounded, scales


def _round(flat: np.ndarray, values: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integers (outputs, inputs) and scales (outputs,) for weights, none of whose pairs is too large to be added.

    An error that others take over may make them too large, see MAX_PAIR_SUM: then their output's step is widened.
    """
    scale = _short(weight_scale(values).reshape(-1))
    whole = np.zeros(flat.shape, np.int8)
    shares, todo = error_shares(moments), np.arange(len(flat))
    for _ in range(TRIES):
        whole[todo] = round_together(flat[todo] / scale[todo, None], shares)
        too_large = weight_scale(whole[todo].reshape(-1, *values.shape[1:]).astype(np.float32)).reshape(-1)
        todo, too_large = todo[too_large > ALLOWED], too_large[too_large > ALLOWED]
        if not len(todo):
            return whole, scale
        scale[todo] = _short(scale[todo] * (too_large + 0.01))
    whole[todo], nearest = (part.reshape(len(todo), -1) for part in round_weights(values[todo]))
    scale[todo] = nearest[:, 0]
    return whole, scale


def _short(scale: np.ndarray) -> np.ndarray:
    """The next number of five digits, because quantization.json has one for each of 26,000 channels."""
    digit = 10.0 ** (np.floor(np.log10(scale)) - 4)
    return np.array([float(f"{value:.4e}") for value in np.ceil(scale / digit) * digit])


def _moments(graph: _Recorder, parameter: openvino.op.Parameter, photos: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Second moments of the inputs under each convolution's filters, (inputs, inputs)."""
    results = [opset.result(convolution.x) for convolution in graph.convolutions.values()]
    compiled = compile_graph(openvino.Model(results, [parameter], "inputs"))
    random = np.random.default_rng(0)
    moments: dict[str, np.ndarray] = {}
    for start in tqdm(range(0, len(photos), BATCH), desc="inputs of layers", unit="batch", disable=None):
        maps = compiled([np.stack(photos[start : start + BATCH])])
        for number, (name, convolution) in enumerate(graph.convolutions.items()):
            size = graph.weights[f"{name}.weight"].shape[-1]
            patches = _patches(maps[number], size, convolution.stride, convolution.padding, random)
            moments[name] = moments.get(name, 0) + patches.T @ patches
    return moments


def _patches(x: np.ndarray, size: int, stride: int, padding: int, random: np.random.Generator) -> np.ndarray:
    """What a filter of this size sees at random places of maps (B, C, H, W): (B * places, C * size * size)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))[:, :, ::stride, ::stride]
    photos, _, height, width = windows.shape[:4]
    places = min(PATCHES, height * width)
    drawn = np.concatenate([random.choice(height * width, places, replace=False) for _ in range(photos)])
    rows, columns = np.divmod(drawn, width)
    return windows[np.repeat(np.arange(photos), places), :, rows, columns].reshape(len(drawn), -1)
