"""The moving average of weights."""

import pytest
import torch

from training.runs.ema import moving_average


def test_the_average_of_a_network_that_does_not_change_is_that_network():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    average = moving_average(network, 0.99, 5)
    average.update_parameters(network)
    assert all(torch.equal(*pair) for pair in zip(average.module.parameters(), network.parameters(), strict=True))


def test_it_moves_slowly_and_faster_at_first():
    network = torch.nn.Linear(1, 1)
    moved = []
    for updates in (0, 1_000_000):
        torch.nn.init.zeros_(network.weight)
        average = moving_average(network, 0.99, updates)
        torch.nn.init.ones_(network.weight)
        average.update_parameters(network)
        moved.append(average.module.weight.item())
    assert moved == pytest.approx([0.9, 0.01])


def test_a_resumed_average_equals_an_uninterrupted_one():
    network = torch.nn.Linear(1, 1)
    whole = moving_average(network, 0.9)
    for step in range(4):
        torch.nn.init.constant_(network.weight, step)
        whole.update_parameters(network)
        if step == 1:
            resumed = moving_average(network, 0.9, updates=2)
            resumed.module.load_state_dict(whole.module.state_dict())
        elif step > 1:
            resumed.update_parameters(network)
    assert resumed.module.weight.item() == whole.module.weight.item()


def test_statistics_of_batch_norms_are_averaged_too():
    network = torch.nn.BatchNorm1d(2)
    average = moving_average(network, 0.5, 100)
    network.running_mean += 1
    average.update_parameters(network)
    assert average.module.running_mean.tolist() == [0.5, 0.5]


def test_weights_used_twice_are_averaged_once():
    network = torch.nn.ModuleList([torch.nn.Linear(1, 1, bias=False)] * 2)
    torch.nn.init.zeros_(network[0].weight)
    average = moving_average(network, 0.5, 100)
    torch.nn.init.ones_(network[0].weight)
    average.update_parameters(network)
    assert average.module[1].weight.item() == 0.5
