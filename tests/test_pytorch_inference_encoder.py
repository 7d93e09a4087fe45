"""The encoder that serves, with its batch norms folded, agrees with the one that is trained."""

import pytest
import torch
from torch import nn

from model.pytorch.encoders import Encoder, normalise
from model.pytorch.inference_encoder import InferenceEncoder, fold
from tests.support.random_models import random_model, random_photos

CPU = torch.device("cpu")
PHOTOS = torch.from_numpy(random_photos(3))


def encoder(name: str = "resnet50") -> Encoder:
    """Random, with batch norms that matter; the same every time."""
    return random_model(encoder=name)[1]


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
@torch.inference_mode()
def test_it_gives_what_the_encoder_of_training_gives(name):
    expected = encoder(name)(normalise(PHOTOS))
    grid = InferenceEncoder(encoder(name), CPU, torch.float32)(PHOTOS)
    assert grid.shape == (3, 4, expected.shape[2])
    torch.testing.assert_close(grid, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


@pytest.mark.parametrize(("dtype", "error"), [(torch.float16, 0.01), (torch.bfloat16, 0.05)])
@torch.inference_mode()
def test_half_precision_stays_close(dtype, error):
    exact = InferenceEncoder(encoder(), CPU, torch.float32)(PHOTOS)
    half = InferenceEncoder(encoder(), CPU, dtype)(PHOTOS)
    assert half.dtype == torch.float32
    assert 0 < (half - exact).norm() < error * exact.norm()


def test_no_batch_norm_is_left():
    network = encoder()
    before = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    fold(network)
    assert before == 53
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_weights_are_channels_last():
    serving = InferenceEncoder(encoder(), CPU, torch.float32)
    weights = [module.weight for module in serving.encoder.modules() if isinstance(module, nn.Conv2d)]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
