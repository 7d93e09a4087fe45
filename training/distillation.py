"""A distillation under way: who teaches, who learns, and how far it has come."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW

from model.encoders import Encoder
from training import parallel
from training.distil_recipe import DistilRecipe
from training.photo_pool import PhotoPool
from training.precision import mixed_precision
from training.run_state import STATE, replacing
from training.stage_errors import StageMaps


@dataclass
class Distillation:
    """What the loop in distil.py works with. It has no random state: what a step draws depends on its number alone."""

    recipe: DistilRecipe
    device: torch.device
    pool: PhotoPool
    teacher: StageMaps
    student: Encoder
    averaged: Encoder
    optimiser: AdamW
    moments: list[Tensor] = field(default_factory=list)  # of the teacher's channels, five of (C,)
    step: int = 0  # steps that are done
    seconds: float = 0.0  # that they took
    curves: list[dict[str, Any]] = field(default_factory=list)

    def done(self) -> float:
        """Share of the run that is behind us, the same in all processes."""
        if not self.recipe.minutes:
            return min(1.0, self.step / self.recipe.steps)
        return parallel.from_main(lambda: min(1.0, self.seconds / 60 / self.recipe.minutes))

    def autocast(self) -> AbstractContextManager:
        """bf16 products where the device is made for them, or where the recipe wants them."""
        wanted = None if self.recipe.precision == "auto" else self.recipe.precision == "bf16"
        return mixed_precision(self.device, wanted)

    def save(self, folder: Path) -> None:
        state: dict[str, Any] = {
            name: getattr(self, name).state_dict() for name in ("student", "averaged", "optimiser")
        }
        state |= {name: getattr(self, name) for name in ("moments", "step", "seconds", "curves")}
        with replacing(folder / STATE) as partial:
            torch.save(state, partial)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(folder / STATE, map_location=self.device, weights_only=True)
        for name in ("student", "averaged", "optimiser"):
            getattr(self, name).load_state_dict(state.pop(name))
        for name, value in state.items():
            setattr(self, name, value)
