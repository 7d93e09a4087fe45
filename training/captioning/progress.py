"""The progress of a captioning run: all that is needed to resume it with the same result."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import torch

from model.errors import BadData
from training.captioning.recipe import Recipe
from training.runs.atomic_file import replacing
from training.runs.run_folder import STATE, keep_recipe, read_state

PHASES = ("cross_entropy", "self_critical")
# Settings of self-critical training may be changed while cross-entropy runs.
SELF_CRITICAL_SETTINGS = ("critical_epochs", "critical_learning_rate", "samples", "temperature", "contrast", "variety")
MAY_CHANGE = ("features", "device", "tensorboard", "patience", *SELF_CRITICAL_SETTINGS)

State = dict[str, Any]  # a PyTorch state dictionary


@dataclass
class Progress:
    """The progress of a run. There is no random state, because every epoch has its own random generators."""

    phase: str = PHASES[0]
    epoch: int = 0  # epochs of this phase that are done
    best: float = -math.inf  # validation CIDEr of its best epoch
    stale: int = 0  # epochs since that one
    curves: list[dict[str, Any]] = field(default_factory=list)  # rows of curves.csv, all phases
    decoder: State = field(default_factory=dict)
    averaged: State = field(default_factory=dict)
    optimiser: State = field(default_factory=dict)
    encoder: State = field(default_factory=dict)  # empty unless it is trained
    best_decoder: State = field(default_factory=dict)  # of the best epoch, from which the next phase starts
    best_encoder: State = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the progress into a run folder."""
        with replacing(folder / STATE) as partial:
            torch.save(vars(self), partial)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, on the CPU; the start of a run if no epoch is finished."""
        if not (folder / STATE).exists():
            return cls()
        stored = read_state(folder)
        if missing := [part.name for part in fields(cls) if part.name not in stored]:
            raise BadData(f"{folder / STATE}: has no {missing[0]}; choose another --out")
        return cls(**{part.name: stored[part.name] for part in fields(cls)})


def open_run(folder: Path, recipe: Recipe) -> Progress:
    """Create a run folder, or load the progress of the run in it. Raises BadRecipe if its recipe differs."""
    keep_recipe(folder, recipe, MAY_CHANGE)
    return Progress.load(folder)
