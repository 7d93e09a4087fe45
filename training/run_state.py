"""What a stopped run needs to go on exactly as if it had not stopped. Files are written whole or not at all."""

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from model.errors import BadRecipe
from training.plots import plot_curves
from training.recipe import FromToml, Recipe

PHASES = ("cross_entropy", "self_critical")
STATE, RECIPE, CURVES = "last.pt", "recipe.json", "curves.csv"
# Of self-critical training: may be settled later.
OF_SELF_CRITICAL = ("critical_epochs", "critical_learning_rate", "samples", "temperature", "contrast", "variety")
MAY_CHANGE = ("features", "device", "tensorboard", "patience", *OF_SELF_CRITICAL)

State = dict[str, Any]  # a PyTorch state dictionary


@dataclass
class Progress:
    """How far a run has come. No random state is in it, because every epoch has generators of its own."""

    phase: str = PHASES[0]
    epoch: int = 0  # epochs of this phase that are done
    best: float = -math.inf  # validation CIDEr of its best epoch
    stale: int = 0  # epochs since that one
    curves: list[dict[str, Any]] = field(default_factory=list)  # rows of curves.csv, all phases
    decoder: State = field(default_factory=dict)
    averaged: State = field(default_factory=dict)
    optimiser: State = field(default_factory=dict)
    encoder: State = field(default_factory=dict)  # empty unless it is trained
    best_decoder: State = field(default_factory=dict)  # of the best epoch, where the next phase starts
    best_encoder: State = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        with replacing(folder / STATE) as partial:
            torch.save(vars(self), partial)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote, on the CPU; the very beginning when no epoch was finished there."""
        if not (folder / STATE).exists():
            return cls()
        stored = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        return cls(**{part.name: stored[part.name] for part in fields(cls)})


def open_run(folder: Path, recipe: Recipe) -> Progress:
    """Make a run folder, or see how far the run in it has come. Raises BadRecipe if that is another recipe's run."""
    keep_recipe(folder, recipe, MAY_CHANGE)
    return Progress.load(folder)


def keep_recipe(folder: Path, recipe: FromToml, may_change: Sequence[str]) -> None:
    """Make a run folder and write the recipe into it. Raises BadRecipe if another recipe's run is under way there.

    may_change: settings that may differ when a run goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = recipe.to_json()
    if (folder / STATE).exists():
        then = json.loads((folder / RECIPE).read_text())
        for name in sorted((now.keys() & then.keys()) - {*may_change}):
            if now[name] != then[name]:
                raise BadRecipe(
                    f"{folder} holds a run with {name}={then[name]!r}, now it is {now[name]!r}; choose another --out"
                )
    with replacing(folder / RECIPE) as partial:
        partial.write_text(json.dumps(now, indent=2) + "\n")


def write_curves(folder: Path, rows: Sequence[Mapping[str, Any]], *, tensorboard: bool = False) -> None:
    """Write the curves so far as CSV and, where matplotlib is installed, as PNG; the last row to TensorBoard too."""
    with replacing(folder / CURVES) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    with suppress(ModuleNotFoundError):
        plot_curves(rows, folder / "curves.png")
    if tensorboard:
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(folder / "tensorboard")) as board:
            for name, value in rows[-1].items():
                if isinstance(value, float):
                    board.add_scalar(name, value, len(rows))


def generator(*key: object) -> np.random.Generator:
    """What it draws depends on the key alone: generator("order", seed, phase, epoch)."""
    return np.random.default_rng(list("/".join(map(str, key)).encode()))


def seed_torch(*key: object) -> None:
    """The same for PyTorch's own generators, which initialisation, dropout and sampling draw from."""
    torch.manual_seed(int(generator("torch", *key).integers(2**63)))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` once it is on the disk."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.rename(path)
