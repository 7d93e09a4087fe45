"""Features are computed once, cached on disk, and resumed after an interruption."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from model.errors import BadData
from model.preprocessing import read_photo_file
from model.pytorch.encoders import normalise
from tests.support.tiny_encoder import TinyEncoder
from training.data import load_dataset
from training.features import feature_cache as features
from training.features.feature_cache import FeatureCache, cache_key, compute_features, to_grid
from training.runs.distributed import has_bf16


@pytest.fixture
def shapes(tiny_dataset):
    return load_dataset(tiny_dataset)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


def computed_here(dataset_folder, example, encoder: TinyEncoder) -> np.ndarray:
    """A photo's grid (1, 49, 4), straight from PyTorch."""
    photo = torch.from_numpy(read_photo_file(dataset_folder / example.photo))
    with torch.inference_mode():
        return to_grid(encoder(normalise(photo[None]))).numpy()


@pytest.mark.parametrize("many", [1, 1000])  # photos from which on OpenVINO runs the encoder
def test_features_are_what_the_encoder_gives_in_the_order_asked_for(shapes, tiny_dataset, folder, monkeypatch, many):
    monkeypatch.setattr(features, "OPENVINO_FROM", many)
    encoder = TinyEncoder()
    assert compute_features(shapes, shapes.examples, encoder, folder, batch=3) == {}
    asked = [shapes.examples[number] for number in (5, 0, 7, 2)]
    found = FeatureCache(folder).batch([example.id for example in asked])
    expected = np.concatenate([computed_here(tiny_dataset, example, encoder) for example in asked])
    coarse = many == 1 and has_bf16(torch.device("cpu"))  # eight bits of a number are right
    np.testing.assert_allclose(found, expected, atol=0.02 if coarse else 2e-3)


def test_a_mirrored_view_has_the_features_of_the_mirrored_photo(tmp_path, folder):
    data = tmp_path / "mirrored"
    data.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(data / "here.png")
    ImageOps.mirror(Image.fromarray(pixels)).save(data / "there.png")
    lines = [f"{name}.png,A photo of noise .,train" for name in ("here", "there")]
    (data / "captions.csv").write_text("\n".join(["photo,caption,split", *lines]))
    dataset = load_dataset(data)
    compute_features(dataset, dataset.examples, TinyEncoder(), folder, views=("plain", "flip"))
    features = FeatureCache(folder, ("plain", "flip"))
    np.testing.assert_allclose(features.batch(["here"], "flip"), features.batch(["there"]), atol=1e-3)
    assert np.abs(features.batch(["here"]) - features.batch(["there"])).max() > 0.01


def test_a_cut_view_is_augmented_and_does_not_depend_on_the_batch_size(shapes, folder, tmp_path):
    for place, batch in ((folder, 3), (tmp_path / "again", 8)):
        compute_features(shapes, shapes.examples, TinyEncoder(), place, views=("plain", "cut1", "cut2"), batch=batch)
    views, again = (FeatureCache(place, ("plain", "cut1", "cut2")) for place in (folder, tmp_path / "again"))
    ids = [example.id for example in shapes.examples]
    np.testing.assert_allclose(views.batch(ids, "cut1"), again.batch(ids, "cut1"), atol=1e-3)
    for other in ("plain", "cut2"):
        assert np.abs(views.batch(ids, "cut1") - views.batch(ids, other)).max() > 0.01


def test_an_interrupted_computation_resumes_with_the_missing_photos(shapes, tiny_dataset, folder):
    encoder, before = TinyEncoder(), [shapes.examples[0]]
    compute_features(shapes, before, encoder, folder)
    kept = FeatureCache(folder).batch([before[0].id])
    Image.new("RGB", (64, 48)).save(tiny_dataset / before[0].photo)  # if it were computed again, it would be another
    assert shapes.examples[1].id not in FeatureCache(folder)
    compute_features(shapes, shapes.examples, encoder, folder)
    features = FeatureCache(folder)
    assert all(example.id in features for example in shapes.examples)
    np.testing.assert_array_equal(features.batch([before[0].id]), kept)


def test_features_not_marked_as_done_are_computed_again(shapes, folder):
    compute_features(shapes, shapes.examples, TinyEncoder(), folder)
    whole = FeatureCache(folder).batch([shapes.examples[2].id])
    np.lib.format.open_memmap(folder / "plain.npy", "r+")[2] = 0
    np.lib.format.open_memmap(folder / "plain.done.npy", "r+")[2] = False
    compute_features(shapes, shapes.examples, TinyEncoder(), folder)
    np.testing.assert_array_equal(FeatureCache(folder).batch([shapes.examples[2].id]), whole)


def test_an_unreadable_photo_is_named_and_skipped_until_it_can_be_read(shapes, tiny_dataset, folder):
    bad = shapes.examples[1]
    content = (tiny_dataset / bad.photo).read_bytes()
    (tiny_dataset / bad.photo).write_bytes(b"")
    broken = compute_features(shapes, shapes.examples, TinyEncoder(), folder)
    assert broken == {bad.id: f"{bad.photo}: the file is empty (0 bytes)"}
    assert [example.id for example in shapes.examples if example.id not in FeatureCache(folder)] == [bad.id]
    (tiny_dataset / bad.photo).write_bytes(content)
    assert compute_features(shapes, shapes.examples, TinyEncoder(), folder) == {}
    assert bad.id in FeatureCache(folder)


def test_the_folder_is_named_by_the_weights():
    assert cache_key("tiny", TinyEncoder(1)) == cache_key("tiny", TinyEncoder(1))
    assert cache_key("tiny", TinyEncoder(1)) != cache_key("tiny", TinyEncoder(2))
    assert cache_key("tiny", TinyEncoder(1)).startswith("tiny-")


def test_how_many_batches_a_batch_norm_has_seen_does_not_change_the_name():
    encoder = TinyEncoder()
    encoder.first[1].num_batches_tracked += 100
    assert cache_key("tiny", encoder) == cache_key("tiny", TinyEncoder())


def test_features_of_other_photos_are_not_mixed_in(shapes, folder):
    folder.mkdir()
    (folder / "photos.json").write_text('["another photo"]')
    with pytest.raises(BadData, match="features of other photos"):
        compute_features(shapes, shapes.examples, TinyEncoder(), folder)


def test_missing_features_are_an_error_that_says_what_to_run(folder):
    with pytest.raises(BadData, match="captionbot features"):
        FeatureCache(folder)
