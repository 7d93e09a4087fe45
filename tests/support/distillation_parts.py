"""A tiny distillation: a teacher of a few lines, photos of noise, and a recipe for them."""

import numpy as np
import pytest
from PIL import Image

from training.distillation.recipe import DistilRecipe

TEACHER = '''
import torch
from torch import nn
from torch.nn import functional as F


class Tiny(nn.Module):
    """Blurs and mixes colours: five maps of a ResNet50's shapes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.mixes = nn.ModuleList(nn.Conv2d(3, 64 * 2**n if n else 64, 1) for n in (0, 2, 3, 4, 5))
        self.fc = nn.Linear(2048, 7)

    def forward(self, photos):
        sizes = [4, 4, 8, 16, 32]
        return [F.relu(mix(F.avg_pool2d(photos, size))) for mix, size in zip(self.mixes, sizes)]


def load_teacher():
    return Tiny()
'''


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A teacher's file and a folder of 60 photos of coloured noise."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "teacher.py").write_text(TEACHER)
    (folder / "photos").mkdir()
    random = np.random.default_rng(1)
    for number in range(60):
        pixels = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(folder / "photos" / f"noise-{number:02}.png")
    return {"teacher": str(folder / "teacher.py"), "photos": str(folder / "photos")}


def recipe(sources: dict[str, object], **changes: object) -> DistilRecipe:
    small = {"size": 64, "crop": 64, "batch": 4, "steps": 2, "every": 1, "warmup": 1, "precision": "float32"}
    return DistilRecipe.of(sources | small | {"device": "cpu"} | changes)


def quiet(_: str) -> None:
    pass
