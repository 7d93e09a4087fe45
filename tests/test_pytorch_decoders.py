"""The decoders: training computes for a whole caption what decoding computes word by word."""

import pytest
import torch

from model.config import DECODERS, ModelConfig
from model.pytorch.decoders import Decoder, build_decoder

WORDS, REGIONS = 20, 9
TOKENS = torch.tensor(
    [[[1, 5, 6, 7], [1, 8, 5, 5]], [[1, 9, 4, 0], [1, 10, 11, 12]]]
)  # (2 photos, 2 captions, 4 words)

pytestmark = pytest.mark.parametrize("name", DECODERS)


def make(name: str) -> Decoder:
    torch.manual_seed(1)
    config = ModelConfig(WORDS, name, "vgg16", embedding=12, hidden=16, heads=4)
    return build_decoder(config).eval()


def grid(photos: int = 2) -> torch.Tensor:
    return torch.randn(photos, REGIONS, 512, generator=torch.Generator().manual_seed(2))


def step_through(decoder: Decoder, grid: torch.Tensor, tokens: torch.Tensor):
    """Log-probabilities (B, K, T, V) and attention (B, K, T, R) or None, word by word."""
    memory, state = decoder.start(grid)
    state = {key: value.expand(-1, tokens.shape[1], *value.shape[2:]) for key, value in state.items()}
    steps = []
    for words in tokens.unbind(2):
        log_probs, state, attention = decoder.step(words, memory, state)
        steps.append((log_probs, attention))
    log_probs, attention = zip(*steps, strict=True)
    return torch.stack(log_probs, 2), None if attention[0] is None else torch.stack(attention, 2)


def test_word_by_word_gives_what_the_whole_sentence_gives(name):
    decoder = make(name)
    whole = decoder.logits(decoder(grid(), TOKENS)).log_softmax(-1)
    torch.testing.assert_close(step_through(decoder, grid(), TOKENS)[0], whole, rtol=1e-4, atol=1e-5)


def test_probabilities_sum_to_one(name):
    log_probs, _ = step_through(make(name), grid(), TOKENS)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(2, 2, 4))


def test_attention_is_shared_among_the_cells(name):
    _, attention = step_through(make(name), grid(), TOKENS)
    if name == "pooled":
        assert attention is None
        return
    assert attention.shape == (2, 2, 4, REGIONS)
    assert (attention >= 0).all()
    assert (attention.sum(-1) < 1.00001).all()
    assert (attention.sum(-1) < 0.999).all() == (name == "attention")  # its sentinel takes the rest


def test_a_word_sees_no_later_word(name):
    decoder, changed = make(name), TOKENS.clone()
    changed[:, :, 3] = 13
    torch.testing.assert_close(decoder(grid(), changed)[:, :, :3], decoder(grid(), TOKENS)[:, :, :3])


def test_sentences_of_a_photo_know_nothing_of_each_other(name):
    decoder = make(name)
    log_probs, _ = step_through(decoder, grid(), TOKENS)
    swapped, _ = step_through(decoder, grid(), TOKENS.flip(1))
    torch.testing.assert_close(swapped.flip(1), log_probs)
    torch.testing.assert_close(decoder(grid(), TOKENS.flip(1)).flip(1), decoder(grid(), TOKENS))


def test_photos_know_nothing_of_each_other(name):
    decoder = make(name)
    both, _ = step_through(decoder, grid(), TOKENS)
    alone, _ = step_through(decoder, grid()[1:], TOKENS[1:])
    torch.testing.assert_close(both[1:], alone)


def test_the_photo_matters(name):
    decoder = make(name)
    assert (decoder(grid(), TOKENS) - decoder(grid().flip(0), TOKENS)).abs().max() > 1e-3


def test_dropout_works_in_training_alone(name):
    decoder = make(name)
    assert torch.equal(decoder(grid(), TOKENS), decoder(grid(), TOKENS))
    decoder.train()
    assert not torch.equal(decoder(grid(), TOKENS), decoder(grid(), TOKENS))


def test_every_weight_gets_a_gradient(name):
    decoder = make(name)
    decoder.logits(decoder(grid(), TOKENS)).log_softmax(-1)[..., 7].sum().backward()
    assert [key for key, value in decoder.named_parameters() if value.grad is None or not value.grad.any()] == []


# Sums of absolute weights of `make`. A seed must give the same weights as ever, or recipes are not reproducible.
INITIAL = {
    "attention": {"words": 54.88, "cells": 407.90, "keys": 51.80, "from_word": 391.18, "from_hidden": 258.11},
    "pooled": {"words": 54.88, "whole": 404.55, "from_photo": 128.08, "from_word": 319.58, "from_hidden": 203.63},
    "bilstm": {"words": 54.88, "cells": 411.88, "ahead_word": 141.46, "back_hidden": 76.66, "readout": 67.72},
}


def test_a_seed_gives_the_same_initial_weights_as_ever(name):
    weights = make(name).state_dict()
    sums = {layer: weights[f"{layer}.weight"].abs().sum().item() for layer in INITIAL[name]}
    assert sums == pytest.approx(INITIAL[name], rel=1e-3)


def test_a_decoder_names_the_layer_that_reads_features_and_how_every_layer_is_initialised(name):
    decoder = make(name)
    layers = {name: layer for name, layer in decoder.named_modules() if isinstance(layer, torch.nn.Linear)}
    assert layers[decoder.feature_layer].in_features == 512
    assert decoder.initializers.keys() == layers.keys()
    decoder.initializers = {}
    with pytest.raises(TypeError, match="no initializer"):
        decoder.initialize()
