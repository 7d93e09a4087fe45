"""How fast a network could be: its products at the rate of a bare matrix product, its data at that of a bare copy.

Counted are the products alone (convolutions and matrix products), each with its inputs, weights and outputs once
through memory; all else could be done on the way. A product takes at least the longer of the two times, the network
their sum.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from statistics import median
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from model.config import ModelConfig
from model.decoders import build_decoder
from model.encoders import Encoder
from model.torch_encoder import ServingEncoder

REPEATS = 5
META = torch.device("meta")  # shapes without data


@dataclass(frozen=True)
class Card:
    """What a device was seen to do."""

    flops: dict[torch.dtype, float]  # a second, in a product of square matrices
    bandwidth: float  # bytes a second, read and written


@dataclass(frozen=True)
class Cost:
    """Of a run: (FLOP, bytes, data type) of each product."""

    products: tuple[tuple[int, int, torch.dtype], ...]

    @property
    def flop(self) -> int:
        return sum(flop for flop, _, _ in self.products)

    @property
    def bytes(self) -> int:
        return sum(moved for _, moved, _ in self.products)

    def floor(self, card: Card) -> float:
        """Seconds below which it cannot run."""
        return sum(max(flop / card.flops[dtype], moved / card.bandwidth) for flop, moved, dtype in self.products)


def encoder_cost(config: ModelConfig, dtype: torch.dtype, batch: int) -> Cost:
    """Pixels to what the decoder looks at."""
    with META:
        encoder, decoder = ServingEncoder(Encoder(config.encoder), META, dtype), build_decoder(config).eval()
    pixels = torch.empty(batch, config.photo_size, config.photo_size, 3, dtype=torch.uint8, device=META)
    return _count(lambda: decoder.start(encoder(pixels)))


def word_cost(config: ModelConfig, batch: int, beams: int) -> Cost:
    """One word for each beam."""
    with META:
        decoder = build_decoder(config).eval()
    memory, state = decoder.start(torch.empty(batch, config.regions, config.channels, device=META))
    state = {name: value.expand(-1, beams, *value.shape[2:]) for name, value in state.items()}
    return _count(lambda: decoder.step(torch.zeros(batch, beams, dtype=torch.int64, device=META), memory, state))


def measure(device: torch.device, dtypes: set[torch.dtype]) -> Card:
    """Time the largest products and copies that make sense there."""
    side = 8192 if device.type == "cuda" else 1024
    flops = {}
    for dtype in dtypes:
        a, b = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
        flops[dtype] = 2 * side**3 / seconds(partial(torch.matmul, a, b), device)
    source = torch.ones(1 << (30 if device.type == "cuda" else 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Card(flops, 2 * source.numel() / seconds(lambda: target.copy_(source), device))


def seconds(work: Callable[[], Any], device: torch.device, repeats: int = REPEATS) -> float:
    """Median of a few runs, after one that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        _wait(device)
        begin = time.perf_counter()
        work()
        _wait(device)
        taken.append(time.perf_counter() - begin)
    return median(taken[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@torch.no_grad()  # inference mode would show a linear layer as a whole, which nobody counts
def _count(work: Callable[[], Any]) -> Cost:
    with _Products() as products:
        work()
    return Cost(tuple(products.seen))


class _Products(TorchDispatchMode):
    """Takes note of every product that runs inside."""

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
