import copy

import pytest

torch = pytest.importorskip("torch")

from training.moving_average import follow  # noqa: E402


def test_the_average_of_a_network_that_does_not_change_is_that_network():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    averaged = copy.deepcopy(network)
    follow(averaged, network, 0.99, 5)
    assert all(torch.equal(*pair) for pair in zip(averaged.parameters(), network.parameters(), strict=True))


def test_it_moves_slowly_and_faster_at_first():
    network, averaged = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.ones_(network.weight)
    moved = []
    for step in (0, 1_000_000):
        torch.nn.init.zeros_(averaged.weight)
        follow(averaged, network, 0.99, step)
        moved.append(averaged.weight.item())
    assert moved == pytest.approx([0.9, 0.01])


def test_statistics_of_batch_norms_are_averaged_too():
    network, averaged = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    network.running_mean += 1
    follow(averaged, network, 0.5, 100)
    assert averaged.running_mean.tolist() == [0.5, 0.5]


def test_weights_used_twice_are_averaged_once():
    network = torch.nn.ModuleList([torch.nn.Linear(1, 1, bias=False)] * 2)
    averaged = copy.deepcopy(network)
    torch.nn.init.ones_(network[0].weight)
    torch.nn.init.zeros_(averaged[0].weight)
    follow(averaged, network, 0.5, 100)
    assert averaged[1].weight.item() == 0.5
