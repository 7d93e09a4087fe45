"""The losses of fine-tuning: values computed by hand, and the direction of their gradients."""

import math

import pytest
import torch

from model.config import ModelConfig
from model.pytorch.decoders import build_decoder
from training.captioning.losses import as_tensor, cross_entropy
from training.feedback.losses import dpo_loss, kto_loss, log_probs, mean_log_ratio


def of(*values: float):
    return torch.tensor(values, requires_grad=True)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return build_decoder(ModelConfig(20, "pooled", "vgg16", embedding=8, hidden=8, heads=2, dropout=0.0)).eval()


def test_the_log_probability_of_a_sentence_is_its_cross_entropy(decoder):
    grid = torch.randn(2, 49, 512)
    captions = [[[5, 6, 7], [8]], [[9, 10]]]
    given, wanted = as_tensor(captions, 10)
    total, words = log_probs(decoder, grid, given, wanted)
    assert words.tolist() == [[4, 2], [3, 0]]  # with the end; the second photo has no second sentence
    assert total[1, 1] == 0
    for b, k in ((0, 0), (0, 1), (1, 0)):
        loss, _ = cross_entropy(decoder, grid[b : b + 1], *as_tensor([[captions[b][k]]], 10), 0.0)
        assert total[b, k].item() == pytest.approx(-loss.item(), abs=1e-4)


def test_a_ratio_is_a_mean_over_words():
    found = mean_log_ratio(torch.tensor([-6.0, 0.0]), torch.tensor([-9.0, 0.0]), torch.tensor([3, 0]))
    assert found.tolist() == [1.0, 0.0]


def test_the_dpo_loss_of_equal_ratios_is_the_logarithm_of_two():
    assert dpo_loss(of(0.0), of(0.0), 5.0).item() == pytest.approx(math.log(2))
    assert dpo_loss(of(0.3), of(0.1), 5.0).item() == pytest.approx(math.log(1 + math.exp(-1.0)))


def test_the_dpo_loss_raises_the_preferred_sentence_and_lowers_the_rejected_one():
    better, worse = of(0.0), of(0.0)
    dpo_loss(better, worse, 5.0).sum().backward()
    assert better.grad.item() < 0 < worse.grad.item()
    assert better.grad.item() == -worse.grad.item()


def test_the_kto_loss_is_half_a_vote_at_the_start():
    assert kto_loss(of(0.0), of(1.0), of(0.0), of(0.0), 5.0).item() == 0.5
    assert kto_loss(of(0.0), of(0.0), of(3.0), of(0.0), 5.0).item() == 1.5


def test_the_kto_loss_raises_liked_sentences_and_lowers_disliked_ones():
    ratio = of(0.0, 0.0, 0.0)
    kto_loss(ratio, of(1.0, 0.0, 1.0), of(0.0, 1.0, 1.0), of(0.0), 5.0).sum().backward()
    up, down, both = ratio.grad.tolist()
    assert up < 0 < down
    assert both == 0


def test_a_vote_counts_by_its_weight():
    ratio = of(0.0, 0.0)
    kto_loss(ratio, of(1.0, 0.25), of(0.0, 0.0), of(0.0), 5.0).sum().backward()
    assert ratio.grad[1].item() == pytest.approx(ratio.grad[0].item() / 4)


def test_the_kto_loss_is_relative_to_the_reference_point():
    gained, usual = of(0.4), of(0.4)
    assert kto_loss(gained, of(1.0), of(0.0), usual, 5.0).item() == 0.5
    kto_loss(gained, of(1.0), of(0.0), usual, 5.0).sum().backward()
    assert usual.grad is None
    assert kto_loss(of(0.4), of(1.0), of(0.0), of(-3.0), 5.0).item() == pytest.approx(1 - 1 / (1 + math.exp(-2)))
