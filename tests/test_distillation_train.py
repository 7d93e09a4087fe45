"""A whole tiny distillation: a real ResNet50 at 64 pixels and a teacher of a few lines."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from model.errors import BadRecipe
from model.pytorch.encoders import Encoder, from_file
from tests.support.distillation_parts import TEACHER, quiet, recipe
from training.distillation.photo_pool import read_pool
from training.distillation.state import fold_norms
from training.distillation.step_maps import draw_views
from training.distillation.train import distil
from training.features.encoder_weights import stored_weights
from training.runs.run_folder import generator

pytestmark = pytest.mark.slow


def rows(run: Path) -> list[dict[str, str]]:
    """Rows of curves.csv without the columns that measure time."""
    with (run / "curves.csv").open() as file:
        found = list(csv.DictReader(file))
    return [{name: row[name] for name in row if name not in ("minutes", "crops_per_second")} for row in found]


@pytest.fixture(scope="module")
def run(sources, tmp_path_factory) -> Path:
    """The folder of a finished run of two steps, the first of them stage by stage."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    distil(recipe(sources, stagewise=0.5), folder, echo=quiet)
    yield folder
    (folder / "last.pt").unlink()  # 380 MB


def test_a_run_writes_an_encoder_under_torchvisions_names(run):
    weights = load_file(run / "encoder.safetensors")
    expected = {name for name in Encoder("resnet50").state_dict() if not name.endswith("num_batches_tracked")}
    assert set(weights) == expected
    assert weights["conv1.weight"].dtype == np.float16
    assert weights["bn1.running_var"].dtype == np.float32
    assert from_file("resnet50", run / "encoder.safetensors").channels == 2048


def test_a_run_describes_how_its_encoder_was_trained(run, sources):
    about = json.loads((run / "distil.json").read_text())
    assert about["crops seen"] == 8
    assert set(about["held-out photos"]) == {"stem", "stage_1", "stage_2", "stage_3", "stage_4", "cosine"}
    assert about["photos"]["learnt from"] + about["photos"]["held out"] == 60
    assert about["recipe"]["teacher"] == "teacher.py"


def test_training_is_stagewise_first_and_then_end_to_end(run):
    assert [(row["step"], row["phase"]) for row in rows(run)] == [("1", "stages_alone"), ("2", "end_to_end")]


def test_curves_are_drawn(run):
    with Image.open(run / "curves.png") as curves:
        assert curves.size[0] > 1000


def test_a_stopped_run_resumes_with_the_same_result(run, sources, tmp_path):
    settings = recipe(sources, stagewise=0.5)
    distil(settings, tmp_path, stop_after=1e-9, echo=quiet)
    assert len(rows(tmp_path)) == 1
    distil(settings, tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    assert rows(tmp_path) == rows(run)
    assert (tmp_path / "encoder.safetensors").read_bytes() == (run / "encoder.safetensors").read_bytes()


def test_the_error_falls(sources, tmp_path):
    distil(recipe(sources, steps=10, every=5, learning_rate=3e-3), tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    first, last = (float(row["val_error"]) for row in rows(tmp_path))
    assert last < 0.7 * first


def test_a_run_may_start_from_an_encoder_that_is_stored(run, sources, tmp_path):
    start = run / "encoder.safetensors"
    distil(recipe(sources, steps=1, start_from=str(start), stagewise=0, learning_rate=1e-9), tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    assert [row["phase"] for row in rows(tmp_path)] == ["end_to_end"]
    before, after = load_file(start), load_file(tmp_path / "encoder.safetensors")
    assert all(np.array_equal(before[name], after[name]) for name in before if before[name].ndim == 4)


def test_a_run_may_last_so_many_minutes(sources, tmp_path):
    distil(recipe(sources, minutes=1e-6, steps=1000), tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    assert [row["step"] for row in rows(tmp_path)] == ["1"]


def test_a_run_of_another_recipe_is_not_resumed(run, sources):
    with pytest.raises(BadRecipe, match="seed=1, now it is 2"):
        distil(recipe(sources, seed=2), run, echo=quiet)


def test_classes_are_learnt_from_the_teachers_classifier_and_agreement_is_reported(sources, tmp_path):
    settings = recipe(sources, steps=10, every=5, learning_rate=3e-3, classes=1.0, cell_classes=0.5)
    distil(settings, tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    first, last = rows(tmp_path)
    assert float(last["classes"]) < float(first["classes"])
    assert float(last["cell_classes"]) < float(first["cell_classes"])
    assert 0 <= float(last["agreement"]) <= float(last["agreement_5"]) <= 1
    assert "val_agreement" not in last  # the photos are no data set


def test_agreement_is_reported_on_the_validation_photos_of_data_sets_too(sources, tiny_dataset, tmp_path):
    photos = [sources["photos"], str(tiny_dataset)]
    distil(recipe(sources, photos=photos, steps=1, classes=1.0), tmp_path / "run", echo=quiet)
    (tmp_path / "run/last.pt").unlink()
    (row,) = rows(tmp_path / "run")
    assert 0 <= float(row["val_agreement"]) <= float(row["val_agreement_5"]) <= 1


def test_classes_need_a_teacher_with_a_classifier(sources, tmp_path):
    teacher = tmp_path / "maps_only.py"
    teacher.write_text(TEACHER.replace("self.fc", "self.classes"))
    with pytest.raises(BadRecipe, match="no classifier `fc`; set classes=0"):
        distil(recipe(sources, teacher=str(teacher), classes=1.0), tmp_path / "run", echo=quiet)


def test_frozen_stages_do_not_change_and_the_others_do(run, sources, tmp_path):
    start = run / "encoder.safetensors"
    distil(recipe(sources, steps=2, start_from=str(start), frozen=2), tmp_path, echo=quiet)
    (tmp_path / "last.pt").unlink()
    before, after = load_file(start), load_file(tmp_path / "encoder.safetensors")
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("conv1", "bn1", "layer1"))} <= same
    assert not {"layer2.0.conv1.weight", "layer4.0.bn1.running_mean"} & same


def test_cached_maps_train_the_last_stage_alone_and_survive_a_kill(run, sources, tmp_path):
    start = run / "encoder.safetensors"
    settings = recipe(sources, steps=6, start_from=str(start), frozen=4, frozen_norms=True, cached_views=2, crop=64)
    distil(settings, tmp_path / "whole", echo=quiet)
    photos = read_pool(settings.photos, settings.size, settings.limit, quiet).photos[: settings.batch]
    views = draw_views(settings, settings.crop, photos, generator("views", settings.seed, 0))
    with torch.inference_mode():
        given = from_file("resnet50", start).eval().stages_to(views, 3).permute(0, 2, 3, 1).numpy()
    cached = np.load(tmp_path / "whole" / "cached_inputs.npy")[: settings.batch]
    assert np.abs(cached - given).mean() < 0.1 * np.abs(given).mean()  # bfloat16, where the CPU has it
    distil(settings, tmp_path / "stopped", stop_after=1e-9, echo=quiet)
    inputs = np.load(tmp_path / "stopped" / "cached_inputs.npy", mmap_mode="r+")
    expected, inputs[:] = inputs[-1].copy(), 0  # as if it had been killed before the first map was computed
    (tmp_path / "stopped" / "cached_rows.txt").unlink()
    distil(settings, tmp_path / "stopped", echo=quiet)
    recomputed = np.load(tmp_path / "stopped" / "cached_inputs.npy")
    whole, resumed = (load_file(tmp_path / name / "encoder.safetensors") for name in ("whole", "stopped"))
    shutil.rmtree(tmp_path)
    np.testing.assert_array_equal(recomputed[-1], expected)
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)
    folded = from_file("resnet50", start)
    fold_norms(folded)
    changed = {name for name, value in stored_weights(folded).items() if not np.array_equal(value, whole[name])}
    assert changed == {name for name in whole if name.startswith("layer4.") and name.endswith(("weight", "bias"))}


def test_folded_norms_change_no_map_and_keep_their_statistics(run):
    student = from_file("resnet50", run / "encoder.safetensors")
    photos = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    before = student.stages(photos)
    fold_norms(student)
    for folded, own in zip(student.stages(photos), before, strict=True):
        torch.testing.assert_close(folded, own, rtol=1e-3, atol=1e-4 * own.max().item())
    assert {value.abs().max().item() for name, value in student.named_buffers() if name.endswith("running_mean")} == {0}


def test_muon_trains_the_convolutions_and_frozen_norms_keep_their_statistics(run, sources, tmp_path):
    start = run / "encoder.safetensors"
    settings = recipe(sources, start_from=str(start), optimiser="muon", frozen_norms=True, learning_rate=1e-3)
    distil(settings, tmp_path / "whole", echo=quiet)
    distil(settings, tmp_path / "stopped", stop_after=1e-9, echo=quiet)
    distil(settings, tmp_path / "stopped", echo=quiet)
    after, resumed = (load_file(folder / "encoder.safetensors") for folder in tmp_path.iterdir())
    shutil.rmtree(tmp_path)
    assert all(np.array_equal(after[name], resumed[name]) for name in after)
    assert {value for name, values in after.items() if name.endswith("running_mean") for value in values} == {0}
    folded = from_file("resnet50", start)
    fold_norms(folded)
    changed = {name for name, value in stored_weights(folded).items() if not np.array_equal(value, after[name])}
    assert changed == {name for name in after if name.endswith(("weight", "bias"))}
