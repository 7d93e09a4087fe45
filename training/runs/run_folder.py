"""The files of a run folder (recipe, curves and state), and random generators that are the same in a resumed run."""

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.errors import BadData, BadRecipe, DamagedModel, one_line
from model.json_files import read_object
from training.runs.atomic_file import replacing
from training.runs.plots import plot_curves
from training.runs.toml_config import TomlConfig

STATE, RECIPE, CURVES = "last.pt", "recipe.json", "curves.csv"
CANDIDATE = "candidate"  # the model folder of a fine-tuning run


def keep_recipe(folder: Path, recipe: TomlConfig, may_change: Sequence[str]) -> None:
    """Make a run folder and write the recipe into it.

    Args:
        may_change: settings that may differ when a run is resumed.

    Raises:
        BadRecipe: the folder holds a run of another recipe, or a recipe that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = recipe.to_json()
    if (folder / STATE).exists():
        then = _read_recipe(folder)
        for name in sorted((now.keys() & then.keys()) - {*may_change}):
            if now[name] != then[name]:
                raise BadRecipe(
                    f"{folder} holds a run with {name}={then[name]!r}, now it is {now[name]!r}; choose another --out"
                )
    with replacing(folder / RECIPE) as partial:
        partial.write_text(json.dumps(now, indent=2) + "\n")


def _read_recipe(folder: Path) -> dict[str, Any]:
    try:
        return read_object(folder / RECIPE)
    except DamagedModel as error:
        raise BadRecipe(f"{error}; choose another --out") from None


def read_state(folder: Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """Read the state of a run, to resume it. Raises BadData if the file is damaged."""
    try:
        state = torch.load(folder / STATE, map_location=device, weights_only=True)
    except Exception as error:  # a file that is no pickle, or one of objects that are not allowed, may raise anything
        raise BadData(f"{folder / STATE}: not the state of a run ({one_line(error)}); choose another --out") from None
    if not isinstance(state, dict):
        raise BadData(f"{folder / STATE}: not the state of a run; choose another --out")
    return state


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
    """A generator whose numbers depend on the key alone, as in generator("order", seed, phase, epoch)."""
    return np.random.default_rng(list("/".join(map(str, key)).encode()))


def seed_torch(*key: object) -> None:
    """Seed PyTorch's own generators in the same way: initialisation, dropout and sampling draw from them."""
    torch.manual_seed(int(generator("torch", *key).integers(2**63)))
