"""A model folder comes back as it was written; a damaged one names its damage."""

import os
from pathlib import Path

import numpy as np
import pytest

from model.config import ModelConfig
from model.errors import DamagedModel
from model.model_folder import load_model, save_model
from model.vocabulary import SPECIAL, Vocabulary
from tests.support.worker_parts import renew_manifest

VOCABULARY = Vocabulary([*SPECIAL, "a", "dog"])
CONFIG = ModelConfig(vocabulary_size=6, embedding=8, hidden=8, heads=2)
ENCODER = {"conv1.weight": np.arange(24, dtype=np.float16).reshape(2, 3, 2, 2)}
DECODER = {"embedding.weight": np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", CONFIG, VOCABULARY, ENCODER, DECODER, {"CIDEr": 0.5}, "# Card\n")
    return tmp_path / "model"


def test_what_is_saved_is_loaded(folder):
    stored = load_model(folder)
    assert (stored.config, stored.vocabulary.words, stored.metrics) == (CONFIG, VOCABULARY.words, {"CIDEr": 0.5})
    assert np.array_equal(stored.decoder["embedding.weight"], DECODER["embedding.weight"])
    assert stored.encoder["conv1.weight"].dtype == np.float16
    assert (folder / "README.md").read_text() == "# Card\n"
    assert stored.confidence is None


def test_a_run_on_cached_features_has_no_encoder(tmp_path):
    save_model(tmp_path / "run", CONFIG, VOCABULARY, None, DECODER, {}, "")
    assert load_model(tmp_path / "run").encoder is None


def test_confidence_travels_with_the_model(tmp_path):
    parts = {"names": ["words"], "mean": [1.0], "scale": [1.0], "weights": [0.5], "squares": [0.0], "bias": 0.1}
    confidence = {"good": parts, "photo": parts, "hedge_below": 0.2, "refuse_below": 0.3, "good_means": "as people do"}
    save_model(tmp_path / "model", CONFIG, VOCABULARY, None, DECODER, {}, "", confidence=confidence)
    assert load_model(tmp_path / "model").confidence == confidence


def test_the_version_changes_with_the_weights_only(folder, tmp_path):
    same, other = tmp_path / "same", tmp_path / "other"
    save_model(same, CONFIG, VOCABULARY, ENCODER, DECODER, {"CIDEr": 0.5}, "# Card\n")
    save_model(other, CONFIG, VOCABULARY, ENCODER, {"embedding.weight": np.zeros((6, 8))}, {"CIDEr": 0.5}, "# Card\n")
    versions = [load_model(path).version for path in (folder, same, other)]
    assert versions[0] == versions[1] != versions[2]
    assert len(versions[0]) == 12


def test_saving_over_a_folder_replaces_it_whole(folder):
    (folder / "left-over.txt").write_text("old")
    save_model(folder, CONFIG, VOCABULARY, None, DECODER, {"CIDEr": 0.6}, "")
    assert load_model(folder).metrics == {"CIDEr": 0.6}
    assert not (folder / "left-over.txt").exists()
    assert os.listdir(folder.parent) == ["model"]


def test_a_model_that_cannot_be_loaded_is_never_written(folder):
    with pytest.raises(DamagedModel, match="has 6 words"):
        save_model(folder, ModelConfig(vocabulary_size=7), VOCABULARY, None, DECODER, {}, "")
    assert load_model(folder).metrics == {"CIDEr": 0.5}
    assert os.listdir(folder.parent) == ["model"]


def test_a_truncated_file_is_reported_with_both_sizes(folder):
    path = folder / "encoder.safetensors"
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DamagedModel, match=rf"encoder\.safetensors: truncated, {whole - 10} of {whole} bytes$"):
        load_model(folder)


def test_a_changed_byte_is_found(folder):
    path = folder / "decoder.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedModel, match=r"decoder\.safetensors: damaged or changed, its hash"):
        load_model(folder)


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "decoder.safetensors", "encoder.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(DamagedModel, match=f"{name}: missing$"):
        load_model(folder)


def test_a_vocabulary_of_the_wrong_size_is_named(folder):
    Vocabulary([*SPECIAL, "a"]).save(folder / "vocabulary.json")
    renew_manifest(folder)
    with pytest.raises(DamagedModel, match=r"vocabulary\.json: has 5 words, but the network was built for 6$"):
        load_model(folder)


def test_weights_of_another_format_are_named(folder):
    (folder / "decoder.safetensors").write_bytes(b"not weights at all")
    renew_manifest(folder)
    with pytest.raises(DamagedModel, match=r"decoder\.safetensors: not a safetensors file"):
        load_model(folder)


def test_a_folder_that_is_no_model_is_reported(tmp_path):
    with pytest.raises(DamagedModel, match=r"not a model folder, manifest\.json is missing"):
        load_model(tmp_path)
    with pytest.raises(DamagedModel, match="there is no such model folder"):
        load_model(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("manifest", "damage"),
    [
        ("{", "not JSON"),
        ("[]", "must hold a JSON object"),
        ('{"format": 2, "files": {}}', "format is 2, this captionbot reads 1"),
        ('{"format": 1, "files": {"../x": {"bytes": 1, "sha256": ""}}}', "its list of files is not readable"),
        ('{"format": 1, "files": {}}', r"does not list config\.json"),
    ],
)
def test_a_damaged_manifest_is_named(folder, manifest, damage):
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(DamagedModel, match=rf"manifest\.json: {damage}"):
        load_model(folder)
