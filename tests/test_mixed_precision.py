"""Products in bfloat16, weights and gradients in float32."""

import torch
from torch import nn

from training.runs.distributed import has_bf16, mixed_precision

CPU = torch.device("cpu")


def test_products_are_in_bfloat16_when_wanted_and_gradients_in_float32():
    layer = nn.Linear(8, 4)
    with mixed_precision(CPU, True):
        product = layer(torch.ones(2, 8))
    product.sum().backward()
    assert product.dtype == torch.bfloat16
    assert layer.weight.grad.dtype == torch.float32


def test_left_to_the_device_the_precision_is_what_the_device_is_made_for():
    with mixed_precision(CPU):
        product = nn.Linear(8, 4)(torch.ones(2, 8))
    assert product.dtype == (torch.bfloat16 if has_bf16(CPU) else torch.float32)


def test_a_pass_without_gradients_leaves_those_of_the_next_pass_whole():
    """Self-critical training samples first, in the same context, which keeps the weights it has cast."""
    layer = nn.Linear(8, 4)
    with mixed_precision(CPU, True):
        with torch.no_grad():
            layer(torch.ones(2, 8))
        loss = layer(torch.ones(2, 8)).sum()
    loss.backward()
    assert layer.weight.grad.abs().sum() > 0
