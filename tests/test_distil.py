"""A tiny distillation, whole: a real ResNet50 at 64 pixels learns from a teacher of a few lines."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

from model.encoders import Encoder, from_file  # noqa: E402
from model.errors import BadRecipe, MissingWeights  # noqa: E402
from training.distil import distil  # noqa: E402
from training.distil_recipe import DistilRecipe  # noqa: E402

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

    def forward(self, photos):
        sizes = [4, 4, 8, 16, 32]
        return [F.relu(mix(F.avg_pool2d(photos, size))) for mix, size in zip(self.mixes, sizes)]


def load_teacher():
    return Tiny()
'''


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, object]:
    """A teacher's file and a folder of 60 photos of coloured noise."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "teacher.py").write_text(TEACHER)
    (folder / "photos").mkdir()
    random = np.random.default_rng(1)
    for number in range(60):
        pixels = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(folder / "photos" / f"noise-{number:02}.png")
    return {"teacher": str(folder / "teacher.py"), "photos": str(folder / "photos")}


def recipe(sources: dict, **changes: object) -> DistilRecipe:
    small = {"size": 64, "crop": 64, "batch": 4, "steps": 2, "every": 1, "warmup": 1, "precision": "float32"}
    return DistilRecipe.of(sources | small | {"device": "cpu"} | changes)


def quiet(_: str) -> None:
    pass


def rows(run: Path) -> list[dict[str, str]]:
    """Rows of curves.csv without the columns that measure time."""
    with (run / "curves.csv").open() as file:
        found = list(csv.DictReader(file))
    return [{name: row[name] for name in row if name not in ("minutes", "crops_per_second")} for row in found]


@pytest.fixture(scope="module")
def run(sources, tmp_path_factory) -> Path:
    """The folder of a finished run of two steps, the first of them stage by stage."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    distil(recipe(sources, stagewise=0.5), folder, say=quiet)
    yield folder
    (folder / "last.pt").unlink()  # 380 MB


def test_a_run_writes_an_encoder_under_torchvisions_names(run):
    weights = load_file(run / "encoder.safetensors")
    expected = {name for name in Encoder("resnet50").state_dict() if not name.endswith("num_batches_tracked")}
    assert set(weights) == expected
    assert weights["conv1.weight"].dtype == np.float16
    assert weights["bn1.running_var"].dtype == np.float32
    assert from_file("resnet50", run / "encoder.safetensors").channels == 2048


def test_a_run_says_how_its_encoder_came_about(run, sources):
    about = json.loads((run / "distil.json").read_text())
    assert about["crops seen"] == 8
    assert set(about["held-out photos"]) == {"stem", "stage_1", "stage_2", "stage_3", "stage_4", "cosine"}
    assert about["photos"]["learnt from"] + about["photos"]["held out"] == 60
    assert about["recipe"]["teacher"] == "teacher.py"


def test_stages_learn_alone_first_and_then_end_to_end(run):
    assert [(row["step"], row["phase"]) for row in rows(run)] == [("1", "stages_alone"), ("2", "end_to_end")]


def test_curves_are_drawn(run):
    assert Image.open(run / "curves.png").size[0] > 1000


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(run, sources, tmp_path):
    settings = recipe(sources, stagewise=0.5)
    distil(settings, tmp_path, stop_after=1e-9, say=quiet)
    assert len(rows(tmp_path)) == 1
    distil(settings, tmp_path, say=quiet)
    (tmp_path / "last.pt").unlink()
    assert rows(tmp_path) == rows(run)
    assert (tmp_path / "encoder.safetensors").read_bytes() == (run / "encoder.safetensors").read_bytes()


def test_the_error_falls(sources, tmp_path):
    distil(recipe(sources, steps=10, every=5, learning_rate=3e-3), tmp_path, say=quiet)
    (tmp_path / "last.pt").unlink()
    first, last = (float(row["val_error"]) for row in rows(tmp_path))
    assert last < 0.7 * first


def test_a_run_may_start_from_an_encoder_that_is_stored_and_goes_on_end_to_end(run, sources, tmp_path):
    start = run / "encoder.safetensors"
    distil(recipe(sources, steps=1, start_from=str(start), learning_rate=1e-9), tmp_path, say=quiet)
    (tmp_path / "last.pt").unlink()
    assert [row["phase"] for row in rows(tmp_path)] == ["end_to_end"]
    before, after = load_file(start), load_file(tmp_path / "encoder.safetensors")
    assert all(np.array_equal(before[name], after[name]) for name in before if before[name].ndim == 4)


def test_a_run_may_last_so_many_minutes(sources, tmp_path):
    distil(recipe(sources, minutes=1e-6, steps=1000), tmp_path, say=quiet)
    (tmp_path / "last.pt").unlink()
    assert [row["step"] for row in rows(tmp_path)] == ["1"]


def test_another_recipe_does_not_go_on_with_a_run(run, sources):
    with pytest.raises(BadRecipe, match="seed=1, now it is 2"):
        distil(recipe(sources, seed=2), run, say=quiet)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": ""}, "no teacher is named"),
        ({"photos": []}, "no photos are named"),
        ({"crop": 300}, "crop is 300; it must be between 32 and size"),
        ({"weights": [1, 2]}, "there must be five"),
        ({"weights": ["a"] * 5}, "must be a float"),
        ({"precision": "int8"}, "one of auto, bf16, float32"),
        ({"batch": 1}, "at least 2"),
        ({"stps": 7}, "unknown setting 'stps'"),
    ],
)
def test_a_wrong_setting_is_named(sources, change, message):
    with pytest.raises(BadRecipe, match=message):
        recipe(sources, **change)


def test_a_teacher_that_is_not_there_is_named(sources, tmp_path):
    with pytest.raises(MissingWeights, match=r"no teacher at .*none\.py"):
        distil(recipe(sources, teacher=str(tmp_path / "none.py")), tmp_path, say=quiet)


def test_the_recipe_that_comes_with_captionbot_is_valid(sources):
    file = Path(__file__).parent.parent / "training/configs/distil.toml"
    found = DistilRecipe.load(file, [f"{name}={value}" for name, value in sources.items()])
    assert found.crop == 160
