"""What the encoder and a word cost: operations and bytes."""

import pytest
import torch

from model.config import ModelConfig
from model.pytorch.roofline import Cost, DeviceRates, encoder_cost, measure, step_cost

CONFIG = ModelConfig(vocabulary_size=1000, embedding=64, hidden=128)
F16, F32 = torch.float16, torch.float32


def test_a_resnet50_costs_what_is_published():
    """4.09 billion multiplications and additions for its convolutions (torchvision), and 23.5 million weights."""
    cost = encoder_cost(CONFIG, F16, 1)
    convolutions = [(flop, moved) for flop, moved, dtype in cost.products if dtype == F16]
    assert len(convolutions) == 53
    assert sum(flop for flop, _ in convolutions) == pytest.approx(2 * 4.087e9, rel=0.01)
    assert sum(moved for _, moved in convolutions) > 2 * 23.4e6


def test_a_batch_reads_the_weights_once():
    one, eight = encoder_cost(CONFIG, F16, 1), encoder_cost(CONFIG, F16, 8)
    assert eight.flop == 8 * one.flop
    assert 8 * one.bytes - eight.bytes == pytest.approx(7 * 2 * 23.5e6, rel=0.05)


def test_a_step_costs_its_matrices():
    """All weights but those for the photo count once for each beam; the word vectors are the output layer."""
    hidden, size = CONFIG.hidden, CONFIG.embedding
    weights = size * 5 * hidden + hidden * 5 * hidden + 2 * hidden * hidden + 2 * hidden * size + 1000 * size
    attention = 2 * CONFIG.regions * hidden
    assert step_cost(CONFIG, 2, 3).flop == 2 * 3 * 2 * (weights + attention)


def test_the_bound_is_the_longer_of_arithmetic_and_memory_for_each_product():
    rates = DeviceRates({F32: 100.0}, bandwidth=10.0)
    assert Cost(((200, 10, F32), (100, 50, F32))).roofline(rates) == pytest.approx(2 + 5)


def test_a_device_is_measured():
    rates = measure(torch.device("cpu"), {F32})
    assert rates.flops[F32] > 1e8
    assert rates.bandwidth > 1e7
