"""Feature sources: cached or live grids, whose augmentation depends on the generator that is passed in only."""

import json

import numpy as np
import pytest
import torch

from model.config import DECODERS, ModelConfig
from model.preprocessing import read_photo_file
from model.pytorch.decoders import build_decoder
from model.pytorch.encoders import normalise
from tests.support.tiny_encoder import TinyEncoder
from training.data import Example, load_dataset
from training.features.feature_cache import FeatureCache, to_grid
from training.features.feature_sources import CachedGrids, CentredGrids, LiveGrids, batches, prefetch
from training.runs.distributed import has_bf16

CPU = torch.device("cpu")
PHOTOS = [Example(f"p{number}", f"p{number}.jpg", (("a", "dog"),), "train") for number in range(10)]
LEFT = Example("left", "left.jpg", (("a", "dog", "on", "the", "left"),), "train")


def random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def cached(tmp_path):
    """Grids whose plain view holds the photo's number, and whose mirrored view its negative; `left` is number 10."""
    (tmp_path / "photos.json").write_text(json.dumps([example.id for example in [*PHOTOS, LEFT]]))
    numbers = np.arange(11, dtype=np.float16)[:, None, None] + np.zeros((1, 2, 3), np.float16)
    for view, values in {"plain": numbers, "flip": -numbers}.items():
        np.save(tmp_path / f"{view}.npy", values)
        np.save(tmp_path / f"{view}.done.npy", np.ones(11, bool))
    return CachedGrids(FeatureCache(tmp_path, ("plain", "flip")), CPU)


@pytest.fixture
def shapes(tiny_dataset):
    return load_dataset(tiny_dataset)


@pytest.fixture
def live(shapes):
    return LiveGrids(shapes, TinyEncoder(), 0, CPU)


def test_cached_grids_are_plain_in_validation(cached):
    assert cached(PHOTOS)[:, 0, 0].tolist() == list(range(10))


def test_in_training_about_half_of_the_photos_are_mirrored(cached):
    mirrored = [(cached(PHOTOS, random(seed))[1:, 0, 0] < 0).float().mean() for seed in range(50)]
    assert 0.4 < np.mean(mirrored) < 0.6


def test_a_photo_whose_captions_mention_a_side_is_never_mirrored(cached):
    assert all(cached([LEFT], random(seed))[0, 0, 0] == 10 for seed in range(20))


def test_the_same_generator_gives_the_same_views(cached):
    assert torch.equal(cached(PHOTOS, random()), cached(PHOTOS, random()))


def test_live_grids_are_those_of_the_encoder_in_validation(live, shapes, tiny_dataset):
    photos = np.stack([read_photo_file(tiny_dataset / example.photo) for example in shapes.examples])
    with torch.inference_mode():
        expected = to_grid(TinyEncoder()(normalise(torch.from_numpy(photos))))
    found = live(shapes.examples)
    bits = 8 if has_bf16(torch.device("cpu")) else 23  # of a number's fraction
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2 ** (2 - bits))
    assert not found.requires_grad


def test_augmentation_draws_from_the_generator_and_from_nothing_else(live, shapes):
    state = torch.get_rng_state()
    first = live(shapes.examples, random())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(12345)
    np.random.seed(12345)
    assert torch.equal(live(shapes.examples, random()), first)


def test_another_generator_augments_otherwise(live, shapes):
    first, second = live(shapes.examples, random(1)), live(shapes.examples, random(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, live(shapes.examples))


def test_the_encoder_is_frozen_by_default(live):
    assert live.parameters() == []


def test_the_last_stages_are_trained_and_gradients_reach_them(shapes):
    encoder = TinyEncoder()
    live = LiveGrids(shapes, encoder, 1, CPU)
    assert {id(parameter) for parameter in live.parameters()} == {
        id(parameter) for parameter in encoder.last.parameters()
    }
    live(shapes.examples, random()).square().sum().backward()
    assert encoder.last.weight.grad.abs().sum() > 0
    assert encoder.first[0].weight.grad is None


def test_more_stages_than_there_are_means_all(shapes):
    encoder = TinyEncoder()
    assert len(LiveGrids(shapes, encoder, 9, CPU).parameters()) == len([*encoder.parameters()])


def test_batch_norms_keep_their_statistics(shapes):
    encoder = TinyEncoder()
    LiveGrids(shapes, encoder, 2, CPU)(shapes.examples, random())
    assert torch.equal(encoder.first[1].running_mean, TinyEncoder().first[1].running_mean)


def test_unreadable_photos_are_named_before_training(live, shapes, tiny_dataset):
    bad = shapes.examples[2]
    (tiny_dataset / bad.photo).write_bytes(b"")
    assert live.read_all(shapes.examples) == {bad.id: f"{bad.photo}: the file is empty (0 bytes)"}


def test_a_photo_is_decoded_once(live, shapes, tiny_dataset):
    live.read_all(shapes.examples)
    before = live(shapes.examples)
    (tiny_dataset / shapes.examples[0].photo).unlink()
    assert torch.equal(live(shapes.examples), before)


def test_batches_hold_every_photo_once_and_are_nearly_equal():
    parts = batches(PHOTOS, 4, random())
    assert sorted(len(part) for part in parts) == [3, 3, 4]
    assert sorted(example.id for part in parts for example in part) == [example.id for example in PHOTOS]


def test_batches_are_shuffled_by_the_generator_alone():
    assert batches(PHOTOS, 4, random()) == batches(PHOTOS, 4, random())
    assert batches(PHOTOS, 4, random()) != batches(PHOTOS, 4, random(2))
    assert [example for part in batches(PHOTOS, 4, None) for example in part] == PHOTOS


def test_prefetched_grids_are_the_same_as_grids_computed_one_by_one(cached):
    parts, draws = batches(PHOTOS, 4, None), random()
    expected = [cached(part, draws) for part in parts]
    found = list(prefetch(cached, parts, random()))
    assert [part for part, _ in found] == parts
    assert all(torch.equal(grid, other) for (_, grid), other in zip(found, expected, strict=True))


def test_grids_of_a_trained_encoder_are_not_prefetched(shapes):
    encoder = TinyEncoder()
    live = LiveGrids(shapes, encoder, 1, CPU)
    norms = []
    for _, grid in prefetch(live, [shapes.examples[:2]] * 2, None):
        norms.append(grid.norm().item())
        torch.nn.init.zeros_(encoder.last.weight)
        torch.nn.init.zeros_(encoder.last.bias)
    assert norms[0] > 0
    assert norms[1] == 0


def test_centred_grids_have_no_mean(cached):
    centred = CentredGrids(cached, PHOTOS)
    assert centred.mean.tolist() == [4.5] * 3
    assert centred(PHOTOS).mean().item() == 0


def test_without_photos_to_centre_on_grids_and_decoders_stay_as_they_are(cached):
    left, state = CentredGrids(cached, []), {"cells.weight": torch.ones(2, 3), "cells.bias": torch.ones(2)}
    assert torch.equal(left(PHOTOS), cached(PHOTOS))
    assert left.fold(state, "cells") == state


@pytest.mark.parametrize("kind", DECODERS)
def test_a_folded_decoder_gives_the_same_output_without_centring(kind):
    class Plain:
        def __call__(self, batch, random=None):
            return torch.rand(len(batch), 4, 512, generator=torch.Generator().manual_seed(len(batch)))

        def parameters(self):
            return []

    decoder = build_decoder(ModelConfig(12, kind, "vgg16", embedding=8, hidden=8, heads=2)).eval()
    centred, tokens = CentredGrids(Plain(), PHOTOS), torch.tensor([[[1, 4, 5]]] * 10)
    learnt = {name: value.clone() for name, value in decoder.state_dict().items()}
    with torch.no_grad():
        wanted = decoder(centred(PHOTOS), tokens)
        decoder.load_state_dict(centred.fold(learnt, decoder.feature_layer))
        torch.testing.assert_close(decoder(Plain()(PHOTOS), tokens), wanted, rtol=1e-4, atol=1e-5)
    back = centred.fold(decoder.state_dict(), decoder.feature_layer, -1)
    assert all(torch.allclose(back[name], value, atol=1e-6) for name, value in learnt.items())
