"""Recipes are read strictly, and refused if they cannot work."""

from pathlib import Path

import pytest

from model.errors import BadRecipe
from training.captioning.recipe import Recipe

CONFIGS = sorted((Path(__file__).resolve().parent.parent / "training/configs").glob("*.toml"))


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


OTHERS = ("distil", "feedback")  # recipes of other kinds


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem not in OTHERS], ids=lambda path: path.stem)
def test_the_recipes_that_come_with_captionbot_are_valid(path):
    assert Recipe.load(path, ["data=flickr8k"]).data == ("flickr8k",)


def test_a_file_gives_values_and_overrides_change_them(write):
    recipe = Recipe.load(write("epochs = 3\nhidden = 64"), ["epochs=5", "data=/some/path with=signs", "views=plain"])
    assert (recipe.epochs, recipe.hidden, recipe.views) == (5, 64, ("plain",))
    assert recipe.data == ("/some/path with=signs",)


def test_an_int_is_accepted_for_a_float():
    assert Recipe.of({"clip": 5}).clip == 5.0


def test_a_list_is_accepted_for_views():
    assert Recipe.of({"views": ["plain", "flip", "cut1"]}).views == ("plain", "flip", "cut1")


def test_an_unknown_setting_is_named_with_those_that_exist():
    with pytest.raises(BadRecipe, match=r"unknown setting 'learning_rat'; the settings are .*learning_rate"):
        Recipe.of({"learning_rat": 1e-3})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"epochs": "3"}, "epochs is '3'; it must be a int"),
        ({"epochs": True}, "epochs is True"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"data": 8}, "each of data is 8; it must be a str"),
        ({"decoder": "transformer"}, "decoder is 'transformer'; it must be one of attention, pooled"),
        ({"encoder": "resnet18"}, "encoder is 'resnet18'; it must be one of resnet50"),
        ({"device": "gpu"}, "device is 'gpu'; it must be one of auto, cpu, cuda"),
        ({"variety": -1}, "variety is -1.0; it must be at least 0"),
        ({"word_balance": -0.1}, "word_balance is -0.1; it must be at least 0"),
        ({"views": ["flip"]}, "views are flip"),
        ({"views": ["plain", "upside-down"]}, "upside-down"),
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"epochs": 0}, "nothing to do"),
        ({"critical_epochs": 1, "samples": 1}, "samples is 1"),
        ({"hidden": 100}, "hidden is 100; it must be a multiple of heads, 8"),
        ({"tuned_stages": 1}, "set live=true"),
        ({"feature_precision": "int4"}, "feature_precision is 'int4'; it must be one of auto, int8"),
        ({"feature_precision": "int8", "encoder_weights": "teacher.py"}, "neither with live=true nor with a teacher's"),
    ],
)
def test_a_setting_that_cannot_work_is_named(values, complaint):
    with pytest.raises(BadRecipe) as error:
        Recipe.of(values)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_recipe_that_does_not_exist_names_those_that_do(tmp_path):
    with pytest.raises(BadRecipe, match=r"no recipe at .*nowhere.*attention.*tiny"):
        Recipe.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("text", ["epochs = = 3", "\0"])
def test_a_file_that_is_no_toml_is_named(write, text):
    with pytest.raises(BadRecipe, match=r"recipe\.toml"):
        Recipe.load(write(text))


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(BadRecipe, match="directory"):
        Recipe.load(tmp_path)


def test_an_override_without_a_value_says_how_to_write_it(write):
    with pytest.raises(BadRecipe, match="--set epochs: write it as name=value"):
        Recipe.load(write(""), ["epochs"])


def test_a_published_recipe_has_no_paths_of_this_machine():
    recipe = Recipe(data=("/home/ann/flickr8k",), encoder_weights="/home/ann/secret/teacher.py", epochs=3)
    kept = recipe.without_folders()
    assert (kept["data"], kept["encoder_weights"], kept["epochs"]) == (["flickr8k"], "teacher.py", 3)
    assert "ann" not in str(kept)
