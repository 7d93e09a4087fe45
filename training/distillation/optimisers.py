"""The optimisers of a student: AdamW, or Muon for its convolutions and AdamW for its batch norms.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") makes the update of each weight
matrix orthogonal, so that all its directions are learnt at the same pace. Updates are scaled to the size of AdamW's
(Liu et al. 2025, "Muon is scalable for LLM training", section 2.2), so that both share one learning rate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer


class Optimisers:
    """Optimisers that together train those parameters of a channels-last network that need gradients."""

    def __init__(self, network: nn.Module, weight_decay: float, *, muon: bool):
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        self._convolutions = [weight for weight in trained if muon and weight.ndim == 4]
        self._matrices = [nn.Parameter(_matrix(weight.detach())) for weight in self._convolutions]
        for weight, matrix in zip(self._convolutions, self._matrices, strict=True):
            assert matrix.data_ptr() == weight.data_ptr(), "a copy would not train the network: it is not channels-last"
        others = [weight for weight in trained if not (muon and weight.ndim == 4)]
        self.all: list[Optimizer] = [AdamW(others, weight_decay=weight_decay, fused=True)]
        if self._matrices:
            self.all.append(Muon(self._matrices, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))

    def step(self) -> None:
        """Update the parameters by their gradients."""
        for weight, matrix in zip(self._convolutions, self._matrices, strict=True):
            matrix.grad = None if weight.grad is None else _matrix(weight.grad)
        for optimiser in self.all:
            optimiser.step()

    def state_dicts(self) -> list[dict[str, Any]]:
        return [optimiser.state_dict() for optimiser in self.all]

    def load_state_dicts(self, states: Sequence[Mapping[str, Any]]) -> None:
        for optimiser, state in zip(self.all, states, strict=True):
            optimiser.load_state_dict(dict(state))


def _matrix(weight: Tensor) -> Tensor:
    """A convolution's weight (outputs, inputs, h, w) -> (outputs, h * w * inputs), a view if it is channels-last."""
    return weight.permute(0, 2, 3, 1).flatten(1)
