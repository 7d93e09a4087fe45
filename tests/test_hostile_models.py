"""A model folder from a stranger, whose manifest fits its files: it is refused with a sentence, at once."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model.captioner import Captioner
from model.errors import DamagedModel
from model.model_folder import load_model, save_model
from model.model_list import find_models
from model.openvino.engine import OpenVinoEngine
from model.pytorch.engine import TorchEngine
from tests.support.random_models import CONFIDENCE, LOGISTIC, random_model, random_photos
from tests.support.worker_parts import renew_manifest
from training.promotion.promote import install

STORED, _, _ = random_model()
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder without damage, to be copied."""
    parts = (STORED.config, STORED.vocabulary, STORED.encoder, STORED.decoder, {}, "# Card\n")
    folder = tmp_path_factory.mktemp("models") / "model"
    save_model(folder, *parts, confidence=CONFIDENCE)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "model")


def refused(folder: Path, match: str) -> None:
    renew_manifest(folder)
    with pytest.raises(DamagedModel, match=match) as caught:
        load_model(folder)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("heads", 0),
        ("heads", -4),
        ("heads", 5),
        ("photo_size", 1_000_000),
        ("photo_size", 0),
        ("photo_size", 64.5),
        ("hidden", 10**9),
        ("hidden", 10**400),
        ("embedding", True),
        ("vocabulary_size", -1),
        ("dropout", float("nan")),
        ("length_penalty", float("inf")),
        ("max_words", 10**9),
        ("decoder", "../../evil"),
        ("encoder", None),
        ("code", "import os"),
    ],
)
def test_a_configuration_out_of_bounds_is_refused(folder, key, value):
    config = json.loads((folder / "config.json").read_text()) | {key: value}
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, r"config\.json: |it must be one of|must be a multiple of heads")


@pytest.mark.parametrize("name", ["config", "vocabulary", "metrics", "confidence", "quantization", "manifest"])
@pytest.mark.parametrize("content", [DEEP, '{"a":' * 100_000, '{"a": ' + "9" * 10_000, "\x00", '"\\ud800"', "", "null"])
def test_json_that_is_none_or_too_deep_is_refused(folder, name, content):
    (folder / f"{name}.json").write_text(content)
    if name != "manifest":
        renew_manifest(folder)
    with pytest.raises(DamagedModel, match=rf"{name}\.json: (not |must hold)"):
        load_model(folder)


def test_json_that_is_too_large_is_refused(folder):
    (folder / "metrics.json").write_text('{"a": "' + "x" * 20_000_000 + '"}')
    refused(folder, r"metrics\.json: has more than 16,000,000 bytes")


@pytest.mark.parametrize("word", ["", "a\nb", "\x1b[2J", "x" * 1001])
def test_a_word_that_is_none_is_refused(folder, word):
    words = json.loads((folder / "vocabulary.json").read_text())
    (folder / "vocabulary.json").write_text(json.dumps([*words[:-1], word]))
    refused(folder, r"vocabulary\.json: not a vocabulary")


@pytest.mark.parametrize(
    "damage",
    [
        {"hedge_below": float("nan")},
        {"refuse_below": 2.0},
        {"good": LOGISTIC | {"scale": [0.0]}},
        {"good": LOGISTIC | {"weights": [1e300]}},
        {"photo": LOGISTIC | {"weights": [1.0, 2.0]}},
        {"photo": LOGISTIC | {"bias": float("inf")}},
        {"photo": {name: value * 1000 if isinstance(value, list) else value for name, value in LOGISTIC.items()}},
    ],
)
def test_a_confidence_out_of_bounds_is_refused_with_its_folder(folder, damage):
    (folder / "confidence.json").write_text(json.dumps(CONFIDENCE | damage))
    refused(folder, r"confidence\.json is damaged")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_weights_that_are_no_numbers_are_refused(folder, part, number):
    weights = load_file(folder / f"{part}.safetensors")
    name = max(weights)
    weights[name] = weights[name].copy()
    weights[name].flat[-1] = number
    save_file(weights, folder / f"{part}.safetensors")
    refused(folder, rf"{part}\.safetensors: .* not finite")


def test_weights_of_whole_numbers_are_refused(folder):
    save_file({"words.weight": np.ones((60, 24), np.int64)}, folder / "decoder.safetensors")
    refused(folder, r"decoder\.safetensors: words\.weight is of type int64")


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("../config.json", {}),
        ("..", {}),
        ("/etc/passwd", {}),
        ("a\x00b", {}),
        ("config.json", {"bytes": -1}),
        ("config.json", {"bytes": "215"}),
        ("config.json", {"bytes": 10**12}),
        ("config.json", {"sha256": "0"}),
    ],
)
def test_a_manifest_of_other_files_is_refused(folder, name, entry):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": 1, "sha256": "0" * 64} | entry
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DamagedModel, match=r"manifest\.json: its list of files is not readable"):
        load_model(folder)


@pytest.mark.parametrize("engine", [OpenVinoEngine, TorchEngine])
@pytest.mark.parametrize(
    "damage",
    [
        {"words.weight": np.ones((60, 10), np.float32)},
        {"words.weight": np.ones((120, 24), np.float32), "bias": np.ones(120, np.float32)},
        {"bias": np.ones((2, 2, 2), np.float32)},
        {"cells.weight": np.ones(3, np.float32)},
    ],
)
def test_weights_of_another_shape_are_refused_by_the_engines(engine, damage):
    with pytest.raises(DamagedModel, match=r"the weights do not fit config\.json"):
        engine(dataclasses.replace(STORED, decoder=STORED.decoder | damage))


@pytest.mark.parametrize("engine", [OpenVinoEngine, TorchEngine])
def test_weights_whose_products_are_no_numbers_are_refused_when_it_warms_up(engine):
    decoder = {name: value * np.float32(1e18) for name, value in STORED.decoder.items()}
    stored = dataclasses.replace(STORED, decoder=decoder)
    captioner = Captioner(stored, engine(stored))
    with pytest.raises(DamagedModel, match="the probabilities of words are no numbers"):
        captioner.warm_up(2)
    with pytest.raises(DamagedModel, match="the probabilities of words are no numbers"):
        captioner.caption([*random_photos(1)])


@pytest.mark.parametrize("metrics", [{"validation": []}, {"validation": {"figures": {"cider": {"value": "good"}}}}])
def test_metrics_of_any_form_are_listed_without_a_figure(folder, metrics):
    (folder / "metrics.json").write_text(json.dumps(metrics))
    renew_manifest(folder)
    [found] = find_models([folder])
    assert found.cider is None


def test_metrics_that_are_no_number_are_none(folder):
    (folder / "metrics.json").write_text('{"hedged": NaN, "list": [Infinity, 1]}')
    renew_manifest(folder)
    assert load_model(folder).metrics == {"hedged": None, "list": [None, 1]}


def test_only_listed_files_are_installed(folder, tmp_path):
    (folder / "home").symlink_to("/")
    (folder / "passwords.txt").symlink_to("/etc/passwd")
    (folder / "extra").mkdir()
    installed = install(folder, tmp_path / "store", shared_with=tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {path.name for path in installed.iterdir()} == {"manifest.json", *manifest["files"]}


def test_ranges_out_of_bounds_are_not_installed(folder, tmp_path):
    ranges = {"encoder": "0", "photos": 1, "quantile": 0.5, "ranges": {"conv1": [0, float("inf")]}}
    (folder / "quantization.json").write_text(json.dumps(ranges))
    renew_manifest(folder)
    with pytest.raises(DamagedModel, match=r"quantization\.json is not readable"):
        install(folder, tmp_path / "store", shared_with=tmp_path)
