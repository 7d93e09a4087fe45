"""What a stopped run needs to go on exactly as if it had not stopped, written whole or not at all."""

import csv
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


def save_state(path: Path, **parts: Any) -> None:
    """Write state dictionaries and plain values, with PyTorch's random state, through a temporary file."""
    parts["random_state"] = torch.get_rng_state()
    if torch.cuda.is_available():
        parts["cuda_random_state"] = torch.cuda.get_rng_state()
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(parts, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def load_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote, on the CPU; restores PyTorch's random state."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    torch.set_rng_state(state["random_state"])
    if torch.cuda.is_available() and "cuda_random_state" in state:
        torch.cuda.set_rng_state(state["cuda_random_state"])
    return state


def seed_everything(seed: int, process: int) -> None:
    """Same seed, same run. Each process of several draws its own dropout."""
    random.seed(seed + process)
    np.random.seed(seed + process)
    torch.manual_seed(seed + process)


def epoch_random(seed: int, epoch: int) -> np.random.Generator:
    """The order of photos and their views in an epoch depends on nothing but seed and epoch, so a resumed run has it."""
    return np.random.default_rng([seed, epoch])


def write_curves(path: Path, rows: list[dict[str, float]]) -> None:
    """The curves so far as CSV, replaced whole."""
    partial = path.with_suffix(".partial")
    names = list(dict.fromkeys(name for row in rows for name in row))
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    partial.rename(path)
