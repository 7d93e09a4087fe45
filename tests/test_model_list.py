"""The list of model folders."""

import numpy as np
import pytest

from model.config import ModelConfig
from model.errors import DamagedModel
from model.model_folder import save_model
from model.model_list import ListedModel, find_models
from model.vocabulary import SPECIAL, Vocabulary


@pytest.fixture
def store(tmp_path):
    """Two model folders, one of them damaged, among other things."""
    vocabulary = Vocabulary([*SPECIAL, "dog", "cat"])
    metrics = {"validation": {"figures": {"cider": {"value": 0.512, "low": 0.5, "high": 0.52}}}}
    weights = {"words.weight": np.zeros((6, 4), np.float32)}
    for name in ("good", "deep/damaged"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_model(tmp_path / name, ModelConfig(6), vocabulary, None, weights, metrics, "A card.\n")
    (tmp_path / "deep/damaged/metrics.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("no model")
    return tmp_path


def test_models_are_found_wherever_they_lie_and_damage_is_named(store):
    damaged, good = find_models([store])
    assert isinstance(damaged, DamagedModel)
    assert "metrics.json" in str(damaged)
    assert isinstance(good, ListedModel)
    assert (good.folder, good.decoder, good.words, good.cider) == (store / "good", "attention", 6, 0.512)


def test_a_model_reached_by_two_ways_is_listed_once(store):
    assert len(list(find_models([store / "good", store / "good"]))) == 1


def test_a_folder_that_is_not_there_has_no_models(tmp_path):
    assert list(find_models([tmp_path / "nowhere"])) == []
