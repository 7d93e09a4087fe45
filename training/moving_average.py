"""The average of a network's weights over training, which does better than the last of them (Polyak, Juditsky 1992)."""

import torch
from torch import nn


@torch.no_grad()
def follow(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averages towards the network after its step `step`, counted from 0; statistics of batch norms too.

    Exponential, but forgetting faster at first, or the random start would weigh for thousands of steps.
    """
    now = min(decay, (1 + step) / (10 + step))
    pairs = zip([*averaged.parameters(), *averaged.buffers()], [*network.parameters(), *network.buffers()], strict=True)
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([ours for ours, _ in floats], [theirs for _, theirs in floats], 1 - now)
