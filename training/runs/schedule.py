"""The learning rate over a run: linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2017)."""

import math
from collections.abc import Callable, Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def warmup_cosine(
    optimizer: Optimizer,
    peaks: Sequence[float],
    done: Callable[[int], float],
    warmup: int,
    start: int = 0,
) -> LambdaLR:
    """A scheduler whose `step` is called after each step of the optimiser.

    Args:
        peaks: highest learning rate of each parameter group.
        done: share of the run that is over at a step, 0 to 1; for a run of `steps` steps it is step / steps.
        warmup: steps of linear warm-up; 0 for none.
        start: steps that are done already, when a run is resumed.
    """
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["initial_lr"] = peak

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
        return rise * 0.5 * (1 + math.cos(math.pi * min(1.0, done(step))))

    return LambdaLR(optimizer, factor, last_epoch=start - 1)
