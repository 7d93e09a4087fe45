"""The learning rate over a run."""

import pytest
import torch

from training.runs.schedule import warmup_cosine


def rates(steps, warmup, start=0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=9.0)
    scheduler = warmup_cosine(optimizer, [2.0], lambda step: step / steps, warmup, start)
    seen = []
    for _ in range(start, steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_the_rate_rises_linearly_and_falls_along_half_a_cosine_to_zero():
    seen = rates(steps=100, warmup=4)
    assert seen[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0], rel=0.01)
    assert seen[50] == pytest.approx(1.0)
    assert seen[-1] < 0.001
    assert seen[4:] == sorted(seen[4:], reverse=True)


def test_without_warm_up_it_begins_at_the_peak():
    assert rates(steps=10, warmup=0)[0] == 2.0


def test_a_resumed_run_has_the_rates_of_an_uninterrupted_one():
    assert rates(steps=10, warmup=2, start=6) == rates(steps=10, warmup=2)[6:]
