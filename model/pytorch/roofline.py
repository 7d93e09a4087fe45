"""The roofline of a network on a device: a lower bound on its run time (Williams, Waterman and Patterson 2009).

Only convolutions and matrix products are counted, each with its inputs, weights and outputs once through memory; every
other operation could be fused into one of them. A product takes at least the longer of two times: its arithmetic at the
rate of a bare matrix product, and its data at the rate of a bare copy. The bound for a network is their sum.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from model.config import ModelConfig
from model.pytorch.decoders import build_decoder
from model.pytorch.device import seconds
from model.pytorch.encoders import Encoder
from model.pytorch.inference_encoder import InferenceEncoder

META = torch.device("meta")  # shapes without data


@dataclass(frozen=True)
class DeviceRates:
    """The measured peak rates of a device."""

    flops: dict[torch.dtype, float]  # floating-point operations per second, in a product of square matrices
    bandwidth: float  # bytes per second, read and written


@dataclass(frozen=True)
class Cost:
    """The products of one run of a network."""

    products: tuple[tuple[int, int, torch.dtype], ...]  # of each: floating-point operations, bytes moved, data type

    @property
    def flop(self) -> int:
        return sum(flop for flop, _, _ in self.products)

    @property
    def bytes(self) -> int:
        return sum(moved for _, moved, _ in self.products)

    def roofline(self, rates: DeviceRates) -> float:
        """The least time that the run can take on a device with these rates, in seconds."""
        return sum(max(flop / rates.flops[dtype], moved / rates.bandwidth) for flop, moved, dtype in self.products)


def encoder_cost(config: ModelConfig, dtype: torch.dtype, batch: int) -> Cost:
    """Cost of encoding a batch: the encoder, and the layers of the decoder that run once per photo."""
    with META:
        encoder, decoder = InferenceEncoder(Encoder(config.encoder), META, dtype), build_decoder(config).eval()
    pixels = torch.empty(batch, config.photo_size, config.photo_size, 3, dtype=torch.uint8, device=META)
    return _count(lambda: decoder.start(encoder(pixels)))


def step_cost(config: ModelConfig, batch: int, beams: int) -> Cost:
    """Cost of one decoding step: one word for each beam of each photo."""
    with META:
        decoder = build_decoder(config).eval()
    memory, state = decoder.start(torch.empty(batch, config.regions, config.channels, device=META))
    state = {name: value.expand(-1, beams, *value.shape[2:]) for name, value in state.items()}
    return _count(lambda: decoder.step(torch.zeros(batch, beams, dtype=torch.int64, device=META), memory, state))


def measure(device: torch.device, dtypes: set[torch.dtype]) -> DeviceRates:
    """Time one large matrix product per data type, and one large copy."""
    side = 8192 if device.type == "cuda" else 1024
    flops = {}
    for dtype in dtypes:
        a, b = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
        flops[dtype] = 2 * side**3 / seconds(partial(torch.matmul, a, b), device)
    source = torch.ones(1 << (30 if device.type == "cuda" else 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return DeviceRates(flops, 2 * source.numel() / seconds(lambda: target.copy_(source), device))


@torch.no_grad()  # in inference mode a linear layer is dispatched as a whole, for which there is no formula
def _count(work: Callable[[], Any]) -> Cost:
    with _CountProducts() as products:
        work()
    return Cost(tuple(products.seen))


class _CountProducts(TorchDispatchMode):
    """Records the cost of every product that runs inside."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int, torch.dtype]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func.overloadpacket):
            tensors = [value for value in (*args, out) if isinstance(value, torch.Tensor)]
            moved = sum(prod(value.shape) * value.element_size() for value in tensors)
            self.seen.append((count(*args, **(kwargs or {}), out_val=out), moved, out.dtype))
        return out
