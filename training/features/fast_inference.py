"""Run a network that is not trained over many photos: on a CPU with OpenVINO, which is two to three times as fast."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from model.openvino.quantization import Quantization
from training.runs.distributed import has_bf16


def compile_for_cpu(
    network: nn.Module, example: torch.Tensor, *, bf16: bool | None = None
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Compile a network of one input with OpenVINO.

    Args:
        network: in evaluation mode; returns a tensor or several.
        example: an input of one row. Batches of any number of rows may be given afterwards.
        bf16: whether products are of bfloat16; None where the CPU has it.

    Returns:
        A function from an array like `example` to the network's outputs, float32.
    """
    from model.openvino.runtime import compile_graph, openvino

    with warnings.catch_warnings(action="ignore"):  # it uses parts of PyTorch that are deprecated
        graph = openvino.convert_model(network, example_input=example)
    wanted = has_bf16(torch.device("cpu")) if bf16 is None else bf16
    compiled = compile_graph(graph, precision="bf16" if wanted else "f32")

    def run(rows: np.ndarray) -> list[np.ndarray]:
        found = compiled(np.ascontiguousarray(rows))
        return [found[number] for number in range(len(compiled.outputs))]

    return run


class Int8Encoder:
    """An encoder on 8-bit integers, as captions are served with: photos uint8 (B, H, W, 3) -> grids (B, R, C)."""

    def __init__(self, name: str, weights: Mapping[str, np.ndarray], quantization: Quantization, size: int = 224):
        """name: the architecture. size: of the photos, pixels a side."""
        from model.openvino.encoders import encoder, encoder_graph
        from model.openvino.runtime import compile_graph, openvino, opset

        graph = encoder_graph(weights, quantization)
        parameter, pixels = graph.photos(size)
        grid = opset.result(encoder(graph, name, pixels))
        self.compiled = compile_graph(openvino.Model([grid], [parameter], "encoder"))

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        return self.compiled([np.ascontiguousarray(photos)])[0]
