"""Training from a recipe: it learns, resumes, and runs in several processes. A tiny network on eight shapes."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from model.errors import BadData, BadRecipe, DamagedModel, MissingWeights
from model.model_folder import load_model
from training.captioning.recipe import Recipe
from training.captioning.setup import prepare
from training.captioning.train import train
from training.features.encoder_weights import load_encoder, stored_weights
from training.runs.run_folder import seed_torch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def settings(shapes, tmp_path_factory) -> dict[str, Any]:
    """A recipe. The features are computed once for all tests."""
    data = {"data": str(shapes), "features": str(tmp_path_factory.mktemp("features")), "min_count": 1}
    encoder = {"encoder": "vgg16", "encoder_weights": str(ROOT / "tests/support/tiny_teacher.py")}
    decoder = {"decoder": "attention", "embedding": 32, "hidden": 32, "heads": 4, "dropout": 0.0}
    cross_entropy = {"epochs": 10, "batch": 1, "warmup": 2, "learning_rate": 0.02, "ema": 0.5, "label_smoothing": 0.0}
    critical = {"critical_epochs": 4, "critical_learning_rate": 0.01, "temperature": 1.0}
    return data | encoder | decoder | cross_entropy | critical | {"beams": 2, "patience": 99, "device": "cpu"}


@pytest.fixture(scope="module")
def run(settings, tmp_path_factory) -> Path:
    """The folder of a run that nothing disturbed: both phases."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(Recipe.of(settings), folder, echo=quiet)
    return folder


def quiet(_: str) -> None:
    """Say nothing."""


def rows(folder: Path) -> list[dict[str, str]]:
    """curves.csv without the seconds."""
    with (folder / "curves.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def column(folder: Path, name: str, phase: str = "cross_entropy") -> list[float]:
    return [float(row[name]) for row in rows(folder) if row["phase"] == phase]


def write_recipe(settings: dict[str, Any], path: Path) -> Path:
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return path


def start(*arguments: str | Path) -> "subprocess.Popen[str]":
    """A Python process of its own."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_the_loss_falls_until_the_training_set_is_memorised(run):
    losses = column(run, "loss")
    assert losses[0] > 2.2
    assert losses[-1] < 0.5


def test_self_critical_training_raises_the_reward(settings, tmp_path):
    half_taught = settings | {"epochs": 2, "critical_epochs": 8, "samples": 10}
    train(Recipe.of(half_taught), tmp_path / "run", echo=quiet)
    rewards = column(tmp_path / "run", "reward", "self_critical")
    assert rewards[-1] > 1.5 * rewards[0]


def test_a_run_folder_holds_curves_recipe_and_the_best_model_of_each_phase(run, settings):
    names = {path.name for path in run.iterdir()}
    assert names == {"recipe.json", "curves.csv", "curves.png", "last.pt", "cross_entropy", "self_critical"}
    assert Recipe.of(json.loads((run / "recipe.json").read_text())) == Recipe.of(settings)
    for phase in ("cross_entropy", "self_critical"):
        stored, ciders = load_model(run / phase), column(run, "cider", phase)
        assert stored.metrics["phase"] == phase
        assert stored.metrics["epoch"] == 1 + ciders.index(max(ciders))
        assert stored.metrics["validation"]["figures"]["cider"]["value"] == pytest.approx(max(ciders), abs=1e-5)
        assert stored.encoder is None  # a teacher's is not ours to keep


def test_a_finished_run_is_not_changed(run, settings):
    before = (run / "last.pt").stat().st_mtime_ns, rows(run)
    assert train(Recipe.of(settings), run, echo=quiet) == run / "self_critical"
    assert ((run / "last.pt").stat().st_mtime_ns, rows(run)) == before


def test_a_killed_run_resumes_with_the_same_result(run, settings, tmp_path):
    folder = tmp_path / "killed"
    recipe = write_recipe(settings, tmp_path / "recipe.toml")
    with start("-m", "captionbot", "train", recipe, "--out", folder) as process:
        deadline = time.monotonic() + 240
        while not (folder / "curves.csv").exists() or len(rows(folder)) < 3:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert len(rows(folder)) < len(rows(run))
    train(Recipe.of(settings), folder, echo=quiet)
    assert rows(folder) == rows(run)
    for phase in ("cross_entropy", "self_critical"):
        again, whole = load_model(folder / phase).decoder, load_model(run / phase).decoder
        assert all(np.array_equal(again[name], value) for name, value in whole.items())


def test_two_processes_train_as_one(settings, tmp_path):
    settings = settings | {"epochs": 3, "batch": 3, "critical_epochs": 0}
    recipe = write_recipe(settings, tmp_path / "recipe.toml")
    alone, pair = tmp_path / "alone", tmp_path / "pair"
    train(Recipe.of(settings), alone, echo=quiet)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    with start(*torchrun, "-m", "captionbot", "train", recipe, "--out", pair) as process:
        said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    for name in ("loss", "val_loss", "cider"):  # batches of three: one process has two photos of each, the other one
        assert column(pair, name) == pytest.approx(column(alone, name), rel=1e-3)


def test_another_seed_is_another_run_and_the_same_seed_the_same(settings, tmp_path):
    short = settings | {"epochs": 1, "critical_epochs": 1, "contrast": 0.3, "variety": 2, "dropout": 0.3}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(Recipe.of(short | {"seed": seed}), tmp_path / name, echo=quiet)
    assert rows(tmp_path / "a") == rows(tmp_path / "b") != rows(tmp_path / "c")


def test_training_stops_when_validation_no_longer_gets_better(settings, tmp_path):
    said: list[str] = []
    still = settings | {"learning_rate": 0.0, "patience": 2, "critical_epochs": 0}
    train(Recipe.of(still), tmp_path / "run", echo=said.append)
    assert len(rows(tmp_path / "run")) == 3  # the first is the best, two more are no better
    assert "no better validation CIDEr for 2 epochs" in said[-2]


def test_self_critical_training_can_start_from_a_stored_model(run, settings, tmp_path):
    first = {"epochs": 0, "critical_epochs": 1, "start_from": str(run / "cross_entropy")}
    best = train(Recipe.of(settings | first), tmp_path / "run", echo=quiet)
    assert best == tmp_path / "run/self_critical"
    assert column(tmp_path / "run", "reward", "self_critical")[0] == pytest.approx(
        column(run, "reward", "self_critical")[0], rel=0.3
    )


def test_a_run_folder_of_another_recipe_is_refused(run, settings):
    with pytest.raises(BadRecipe, match=r"holds a run with hidden=32, now it is 64; choose another --out"):
        train(Recipe.of(settings | {"hidden": 64}), run, echo=quiet)


def test_the_encoder_can_run_live_and_learn(tmp_path, shapes):
    settings = {"encoder": "resnet50", "encoder_weights": "random", "live": True, "tuned_stages": 1, "limit": 2}
    small = {"embedding": 8, "hidden": 8, "heads": 2, "min_count": 1, "epochs": 1, "beams": 1, "batch": 2}
    best = train(Recipe.of(settings | small | {"data": str(shapes), "device": "cpu"}), tmp_path / "run", echo=quiet)
    encoder = load_model(best).encoder
    assert encoder is not None
    seed_torch(1)
    fresh = stored_weights(load_encoder("resnet50", "random"))
    changed = {name.split(".")[0] for name, value in fresh.items() if not np.array_equal(value, encoder[name])}
    assert changed == {"layer4"}


def test_several_data_sets_train_as_one_and_are_validated_one_by_one(settings, shapes, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    records, random = [], np.random.default_rng(1)
    for number in range(3):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(more / f"{number}.png")
        record = {"captions": ["a wall of tiles", "tile thing there"], "sources": ["machine", "derived"]}
        records.append(record | {"photo": f"{number}.png", "split": "val" if number == 2 else "train"})
    (more / "captions.jsonl").write_text("\n".join(map(json.dumps, records)))
    own = {
        "data": [str(shapes), str(more)],
        "data_weights": [0.5, 2],
        "derived": 0,
        "features": str(tmp_path / "features"),
    }
    recipe = Recipe.of(settings | own | {"epochs": 1, "critical_epochs": 1})
    best = train(recipe, tmp_path / "run", echo=quiet)
    for row in rows(tmp_path / "run"):
        own = float(row["cider_shapes"]), float(row["cider_more"])
        assert float(row["cider"]) == pytest.approx(sum(own) / 2, abs=1e-4)
    stored = load_model(best)
    assert {"shapes", "more"} == stored.metrics["validation"].keys()
    assert "wall" in stored.vocabulary.words
    assert "thing" not in stored.vocabulary.words


def test_of_each_data_set_as_many_photos_are_drawn_as_its_weight_says(settings, shapes, tmp_path):
    setup = prepare(Recipe.of(settings | {"data_weights": [1.5]}), torch.device("cpu"), quiet)
    drawn = Counter(example.id for example in setup.draw(np.random.default_rng(1)))
    assert sorted(drawn.values()) == [1, 1, 1, 2, 2, 2]


def test_a_photo_that_cannot_be_read_is_named_and_left_out(settings, tiny_dataset, tmp_path):
    (tiny_dataset / "red-circle.jpg").write_bytes(b"")
    said: list[str] = []
    changed = {"data": str(tiny_dataset), "features": str(tmp_path / "features"), "epochs": 1, "critical_epochs": 0}
    train(Recipe.of(settings | changed), tmp_path / "run", echo=said.append)
    assert [line for line in said if line.startswith("left out: ") and "red-circle.jpg" in line]


@pytest.mark.parametrize(
    ("values", "error", "complaint"),
    [
        ({"data": ""}, BadRecipe, "no data set is named; add --set data=FOLDER"),
        ({"data": "/nowhere"}, BadData, "/nowhere: no such file or folder"),
        ({"encoder_weights": "/nowhere.pth"}, MissingWeights, "no encoder weights at /nowhere.pth"),
        ({"start_from": "/nowhere"}, DamagedModel, "/nowhere: there is no such model folder"),
        ({"word_vectors": "/nowhere.txt"}, BadData, "no word vectors at /nowhere.txt"),
    ],
)
def test_missing_data_or_weights_are_named_before_training(settings, tmp_path, values, error, complaint):
    with pytest.raises(error, match=complaint):
        train(Recipe.of(settings | values), tmp_path / "run", echo=quiet)
    assert not (tmp_path / "run/curves.csv").exists()


def test_a_data_set_without_validation_photos_is_refused(settings, tiny_dataset, tmp_path):
    table = tiny_dataset / "captions.csv"
    table.write_text(table.read_text().replace(",val", ",train"))
    with pytest.raises(BadData, match="8 training and 0 validation photos; both are needed"):
        train(Recipe.of(settings | {"data": str(tiny_dataset)}), tmp_path / "run", echo=quiet)


def test_on_the_command_line_a_mistake_is_one_line(tmp_path):
    with start("-m", "captionbot", "train", "tiny", "--set", "epoch=3", "--out", tmp_path / "run") as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.startswith("captionbot: unknown setting 'epoch'; the settings are data, ")
    assert said.count("\n") == 1
