"""Recipes of a distillation: what may be set, and what is said of wrong settings."""

from pathlib import Path

import pytest

from model.errors import BadRecipe, MissingWeights
from tests.support.distillation_parts import quiet, recipe
from training.distillation.recipe import DistilRecipe
from training.distillation.train import distil


def test_the_last_part_of_a_run_has_crops_of_another_size(sources):
    settings = recipe(sources, crop=32, last_crop=64, last_share=0.25)
    assert [settings.crop_at(done) for done in (0, 0.7, 0.75, 0.99)] == [32, 32, 64, 64]
    assert recipe(sources).crop_at(0.99) == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": ""}, "no teacher is named"),
        ({"photos": []}, "no photos are named"),
        ({"crop": 300}, "crop is 300; it must be between 32 and size"),
        ({"last_crop": 300}, "last_crop is 300; it must be between 32 and size"),
        ({"last_share": 1.5}, "last_share is 1.5; it must be between 0 and 1"),
        ({"mixup": -0.5}, "mixup is -0.5; it must be between 0 and 1"),
        ({"frozen": 5, "start_from": "x"}, "frozen is 5; it must be between 0 and 4"),
        ({"frozen": 1}, "keep what a student has learnt; set start_from too"),
        ({"frozen_norms": True}, "keep what a student has learnt; set start_from too"),
        ({"cached_views": 1}, "a run that trains only the last stage: set frozen=4"),
        ({"classes": -1.0}, "classes and cell_classes must be at least 0"),
        ({"cell_classes": 0.5}, "set classes too"),
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
        distil(recipe(sources, teacher=str(tmp_path / "none.py")), tmp_path, echo=quiet)


def test_the_recipe_that_comes_with_captionbot_is_valid(sources):
    file = Path(__file__).parent.parent / "training/configs/distil.toml"
    found = DistilRecipe.load(file, [f"{name}={value}" for name, value in sources.items()])
    assert found.crop == 160
