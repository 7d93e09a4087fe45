"""torchvision's encoders as OpenVINO graphs: from pixels to the feature grid, with weights trained in PyTorch."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model.openvino.layers import Graph, Node, integers, opset, pool, relu
from model.openvino.quantization import Quantization


def resnet(graph: Graph, pixels: Node, blocks: Sequence[int]) -> Node:
    """He et al. 2016 with bottlenecks, stride in their 3x3 convolution: (B, 3, H, W) -> (B, 2048, H / 32, W / 32).

    blocks: how many in each stage.
    """
    x = graph.convolution(pixels, "conv1", "bn1", stride=2, padding=3, first=True)
    x = pool(graph.quantise(relu(x), "conv1"), 3, 2, 1)
    for stage, count in enumerate(blocks, 1):
        for number in range(count):
            x = _bottleneck(graph, x, f"layer{stage}.{number}", stride=2 if stage > 1 and number == 0 else 1)
    return x


def _bottleneck(graph: Graph, x: Node, name: str, stride: int) -> Node:
    """One residual block.

    Of the two summands one must be quantised, or OpenVINO would not fuse the sum into a convolution: a sixth slower.
    Both need not be, and their rounding is most of the activations' error. The shortcut is quantised already if it is
    the block's input.
    """
    shortcut = x
    projected = f"{name}.downsample.0.weight" in graph.weights
    if projected:
        shortcut = graph.convolution(x, f"{name}.downsample.0", f"{name}.downsample.1", stride=stride)
    x = graph.quantise(relu(graph.convolution(x, f"{name}.conv1", f"{name}.bn1")), f"{name}.conv1")
    x = relu(graph.convolution(x, f"{name}.conv2", f"{name}.bn2", stride=stride, padding=1))
    x = graph.convolution(graph.quantise(x, f"{name}.conv2"), f"{name}.conv3", f"{name}.bn3")
    if projected:
        x = graph.quantise(x, f"{name}.conv3")
    return graph.quantise(relu(opset.add(x, shortcut).output(0)), name)


def vgg16(graph: Graph, pixels: Node) -> Node:
    """Simonyan and Zisserman 2015, configuration D, without batch norm: (B, 3, H, W) -> (B, 512, H / 32, W / 32)."""
    x, layer = pixels, 0  # torchvision numbers convolutions, ReLUs and poolings in one sequence
    for count in (2, 2, 3, 3, 3):
        for _ in range(count):
            name = f"features.{layer}"
            x = graph.quantise(relu(graph.convolution(x, name, padding=1, first=layer == 0)), name)
            layer += 2
        x = pool(x, 2, 2)
        layer += 1
    return x


def densenet201(graph: Graph, pixels: Node) -> Node:
    """Huang et al. 2017: (B, 3, H, W) -> (B, 1920, H / 32, W / 32)."""
    x = graph.convolution(pixels, "features.conv0", "features.norm0", stride=2, padding=3, first=True)
    x = pool(relu(x), 3, 2, 1)
    for block, count in enumerate((6, 12, 48, 32), 1):
        for layer in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            new = graph.quantise(relu(graph.normalise(x, f"{name}.norm1")), f"{name}.norm1")
            new = graph.quantise(relu(graph.convolution(new, f"{name}.conv1", f"{name}.norm2")), f"{name}.conv1")
            x = opset.concat([x, graph.convolution(new, f"{name}.conv2", padding=1)], 1).output(0)
        if block < 4:
            name = f"features.transition{block}"
            x = graph.quantise(relu(graph.normalise(x, f"{name}.norm")), f"{name}.norm")
            x = pool(graph.convolution(x, f"{name}.conv"), 2, 2, mean=True)
    return graph.quantise(relu(graph.normalise(x, "features.norm5")), "features.norm5")


ENCODERS: dict[str, Callable[[Graph, Node], Node]] = {
    "resnet50": lambda graph, pixels: resnet(graph, pixels, (3, 4, 6, 3)),
    "resnet101": lambda graph, pixels: resnet(graph, pixels, (3, 4, 23, 3)),
    "vgg16": vgg16,
    "densenet201": densenet201,
}


def encoder_graph(weights: Mapping[str, np.ndarray], quantization: Quantization | None) -> Graph:
    """An empty graph for an encoder: on 8-bit integers, or in float32 without quantisation."""
    return Graph(weights, quantization.ranges, quantization.scales) if quantization else Graph(weights)


def encoder(graph: Graph, name: str, pixels: Node) -> Node:
    """Pixels (B, 3, H, W) of `Graph.photos` -> feature grid (B, R, C), cells row by row."""
    features = opset.transpose(ENCODERS[name](graph, pixels), integers([0, 2, 3, 1]))
    channels = features.output(0).partial_shape[3].get_length()
    return opset.reshape(features, integers([0, -1, channels]), True).output(0)
