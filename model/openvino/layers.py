"""Layers of a network as OpenVINO operations, built from weights that have PyTorch's names.

Quantisation: where the range of an activation is known, the graph rounds it to 256 levels (FakeQuantize), and OpenVINO
runs the operations between two such places on 8-bit integers (Nagel et al. 2021, "A white paper on neural network
quantization", sections 2 and 3). Weights are rounded as weight_rounding.py says.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from model.errors import DamagedModel
from model.openvino.runtime import openvino, opset
from model.openvino.weight_rounding import round_pixel_weights, round_weights

Node: TypeAlias = openvino.Output
Ranges = Mapping[str, tuple[float, float]]  # name of an activation -> lowest and highest value; others are clipped
Scales = Mapping[str, Sequence[float]]  # name of a convolution -> the step of each output channel's weights

EPSILON = 1e-5  # of every batch norm in torchvision
MEAN = 255 * np.array(
    (0.485, 0.456, 0.406), dtype=np.float32
)  # of ImageNet, like the deviation, on a scale of 0 to 255
DEVIATION = 255 * np.array((0.229, 0.224, 0.225), dtype=np.float32)


class Graph:
    """Builds layers from a dictionary of weights. Raises DamagedModel for a weight that is missing.

    `ranges` None builds a float32 graph. `scales` are those of convolutions whose weights are multiples of a step
    already. `activations` collects those that can be quantised, by name.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], ranges: Ranges | None = None, scales: Scales | None = None):
        self.weights, self.ranges, self.scales = weights, ranges, scales or {}
        self.activations: dict[str, Node] = {}

    def weight(self, name: str) -> np.ndarray:
        """One array of the weights, float32."""
        if name not in self.weights:
            raise DamagedModel(f"the model's weights have no {name}; is config.json of another model?")
        return self.weights[name].astype(np.float32)

    def quantise(self, x: Node, name: str) -> Node:
        """The activation x, rounded to 256 levels between the limits of its range; unchanged in a float32 graph."""
        self.activations[name] = x
        if self.ranges is None:
            return x
        if name not in self.ranges:
            raise DamagedModel(f"quantization.json has no range for {name}; run captionbot quantize again")
        low, high = (constant(limit) for limit in self.ranges[name])
        return opset.fake_quantize(x, low, high, low, high, 256).output(0)

    def bounded(self, x: Node) -> Node:
        """An activation x that is always between -1 and 1, as after a tanh, rounded to 256 levels; 0 stays exact.

        Unchanged in a float32 graph. Without that OpenVINO would determine the range of each row at run time, and would
        not use AMX for it.
        """
        if self.ranges is None:
            return x
        low, high = constant(-128 / 127), constant(1)
        return opset.fake_quantize(x, low, high, low, high, 256).output(0)

    def weights_node(self, values: np.ndarray, name: str = "", *, first: bool = False) -> Node:
        """Weights (outputs, ...): 8-bit integers with a scale for each output, or float32 in a float32 graph.

        Args:
            name: of a convolution, which may have its own scales.
            first: they are multiplied with pixels.
        """
        if self.ranges is None:
            return constant(values)
        if name in self.scales:
            scale = np.array(self.scales[name], np.float32).reshape(-1, *[1] * (values.ndim - 1))
            whole = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        else:
            whole, scale = round_pixel_weights(values) if first else round_weights(values)
        return opset.multiply(opset.convert(opset.constant(whole), "f32"), constant(scale)).output(0)

    def linear(self, x: Node, name: str) -> Node:
        """torch.nn.Linear: (..., inputs) -> (..., outputs), with bias if there is one."""
        return self.product(x, self.weight(f"{name}.weight"), self._bias(name))

    def product(self, x: Node, values: np.ndarray, bias: np.ndarray | None = None) -> Node:
        """x (..., inputs) times the transpose of values (outputs, inputs), plus bias (outputs,)."""
        result = opset.matmul(x, self.weights_node(values), False, True)
        return result.output(0) if bias is None else opset.add(result, constant(bias)).output(0)

    def photos(self, size: int) -> tuple[openvino.op.Parameter, Node]:
        """The input, uint8 (B, size, size, 3), and its pixels less ImageNet's mean, float32 (B, 3, size, size).

        The division by the deviation is part of the first convolution's weights. In an 8-bit graph the mean is rounded,
        so that each pixel value stays exact.
        """
        parameter = opset.parameter([-1, size, size, 3], np.uint8, name="photos")
        pixels = opset.transpose(opset.convert(parameter, "f32"), opset.constant(np.array([0, 3, 1, 2])))
        mean = (MEAN if self.ranges is None else np.rint(MEAN))[None, :, None, None]
        pixels = opset.subtract(pixels, constant(mean))
        if self.ranges is not None:
            low, high = constant(-mean), constant(255 - mean)
            pixels = opset.fake_quantize(pixels, low, high, low, high, 256)
        return parameter, pixels.output(0)

    def convolution(
        self, x: Node, name: str, norm: str | None = None, *, stride: int = 1, padding: int = 0, first: bool = False
    ) -> Node:
        """torch.nn.Conv2d with the batch norm after it folded into its weights. first: x comes from `photos`."""
        weight, bias = self.weight(f"{name}.weight"), self._bias(name)
        if first:
            weight = weight / DEVIATION[:, None, None]
        if norm is not None:
            scale, shift = self.norm(norm)
            weight = weight * scale[:, None, None, None]
            bias = shift if bias is None else bias * scale + shift
        pads = [padding, padding]
        result = opset.convolution(
            x, self.weights_node(weight, name, first=first), [stride, stride], pads, pads, [1, 1]
        )
        return result.output(0) if bias is None else _each_channel(opset.add, result, bias)

    def normalise(self, x: Node, name: str) -> Node:
        """A batch norm that stands before its convolution, so that it cannot be folded."""
        scale, shift = self.norm(name)
        return _each_channel(opset.add, _each_channel(opset.multiply, x, scale), shift)

    def norm(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Scale and shift (channels,) of a batch norm in inference (Ioffe & Szegedy 2015)."""
        scale = self.weight(f"{name}.weight") / np.sqrt(self.weight(f"{name}.running_var") + EPSILON)
        return scale, self.weight(f"{name}.bias") - self.weight(f"{name}.running_mean") * scale

    def _bias(self, name: str) -> np.ndarray | None:
        return self.weight(f"{name}.bias") if f"{name}.bias" in self.weights else None


def constant(values: np.ndarray | float) -> Node:
    """A float32 constant. (OpenVINO accepts arrays directly, too, but a hundred times slower.)"""
    return opset.constant(np.ascontiguousarray(values, dtype=np.float32)).output(0)


def integers(values: int | Sequence[int]) -> Node:
    """An int64 constant: axes, shapes, lengths."""
    return opset.constant(np.array(values, dtype=np.int64)).output(0)


def relu(x: Node) -> Node:
    """max(x, 0)."""
    return opset.relu(x).output(0)


def concat(parts: Sequence[Node]) -> Node:
    """Concatenate along the last axis."""
    return opset.concat(list(parts), -1).output(0)


def split(x: Node, lengths: Sequence[int]) -> list[Node]:
    """Split along the last axis."""
    return opset.variadic_split(x, integers(-1), integers(lengths)).outputs()


def pool(x: Node, size: int, stride: int, padding: int = 0, *, mean: bool = False) -> Node:
    """Max pooling, or average pooling, of (B, C, H, W)."""
    strides, pads, kernel = [stride, stride], [padding, padding], [size, size]
    if mean:
        return opset.avg_pool(x, strides, pads, pads, kernel, True).output(0)
    return opset.max_pool(x, strides, [1, 1], pads, pads, kernel).output(0)


def _each_channel(operation: Callable[..., Any], x: Node, values: np.ndarray) -> Node:
    """Add or multiply: x (B, C, H, W) with values (C,)."""
    return operation(x, constant(values[:, None, None])).output(0)
