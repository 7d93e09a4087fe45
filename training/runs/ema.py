"""The moving average of a network's weights, which scores better than the last weights (Polyak and Juditsky 1992)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def moving_average(network: nn.Module, decay: float, updates: int = 0) -> AveragedModel:
    """An exponential moving average of a network's weights and of its batch norms' statistics.

    Call `update_parameters(network)` after each step; `module` is the averaged network, which starts as a copy. The
    average forgets faster at first: otherwise the random start would count for thousands of steps.

    Args:
        decay: share of the old average in the new one, once (1 + step) / (10 + step) exceeds it.
        updates: steps that are averaged already, when a run is resumed.
    """

    def update(averages: Sequence[Tensor], weights: Sequence[Tensor], count: Tensor | int) -> None:
        get_ema_multi_avg_fn(min(decay, int(count) / (9 + int(count))))(averages, weights, count)

    averaged = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    averaged.n_averaged.fill_(1 + updates)  # the start is the first of the averaged weights
    return averaged
