"""Cross-entropy and self-critical loss: layout, padding, rewards, baseline."""

import pytest
import torch

from model.config import ModelConfig
from model.pytorch.decoders import Decoder, build_decoder
from model.vocabulary import END, PAD, START, UNK
from training.captioning.losses import as_tensor, cross_entropy, sample, self_critical
from training.captioning.reward import Reward
from training.metrics.cider import CiderD

WORDS, MAX_WORDS, SAMPLES = 12, 6, 4
PHOTOS = ["one", "two"]
LINES = [[[4, 5, 6, END], [4, 7, END]], [[8, 9, END], [8, 10, 11, END]]]  # references, the end token in them


@pytest.fixture
def decoder() -> Decoder:
    torch.manual_seed(1)
    config = ModelConfig(WORDS, "attention", "vgg16", embedding=8, hidden=8, heads=2)
    return build_decoder(config).eval()


@pytest.fixture
def grid() -> "torch.Tensor":
    return torch.randn(2, 4, 512, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def reward() -> CiderD:
    reward = CiderD.from_references(LINES)
    for photo, lines in zip(PHOTOS, LINES, strict=True):
        reward.add(photo, lines)
    return reward


def test_inputs_begin_with_start_and_targets_end_with_end():
    given, wanted = as_tensor([[[4, 5]], [[6, 7]]], MAX_WORDS)
    assert given.tolist() == [[[START, 4, 5]], [[START, 6, 7]]]
    assert wanted.tolist() == [[[4, 5, END]], [[6, 7, END]]]


def test_shorter_captions_and_missing_ones_are_padded():
    given, wanted = as_tensor([[[4, 5], [6]], [[7]]], MAX_WORDS)
    assert given.tolist() == [[[START, 4, 5], [START, 6, PAD]], [[START, 7, PAD], [PAD, PAD, PAD]]]
    assert wanted.tolist() == [[[4, 5, END], [6, END, PAD]], [[7, END, PAD], [PAD, PAD, PAD]]]


def test_a_caption_that_is_too_long_is_cut_and_has_no_end():
    given, wanted = as_tensor([[[4, 5, 6, 7, 8], [4, 5]]], max_words=2)
    assert given.tolist() == [[[START, 4, 5], [START, 4, 5]]]
    assert wanted.tolist() == [[[4, 5, 6], [4, 5, END]]]


def test_cross_entropy_is_the_sum_over_words_and_padding_counts_nothing(decoder, grid):
    loss, count = cross_entropy(decoder, grid, *as_tensor([[[4, 5]], [[6]]], MAX_WORDS), 0.0)
    by_hand = 0.0
    for photo, words in enumerate([[4, 5, END], [6, END]]):
        memory, state = decoder.start(grid[photo : photo + 1])
        for before, word in zip([START, *words], words, strict=False):
            log_probs, state, _ = decoder.step(torch.tensor([[before]]), memory, state)
            by_hand -= log_probs[0, 0, word].item()
    assert count == 5
    assert loss.item() == pytest.approx(by_hand, rel=1e-5)


def test_label_smoothing_shares_a_part_among_all_words(decoder, grid):
    tokens = as_tensor([[[4]], [[6]]], MAX_WORDS)
    sharp, smooth, flat = (cross_entropy(decoder, grid, *tokens, part)[0] for part in (0.0, 0.1, 1.0))
    assert smooth.item() == pytest.approx(0.9 * sharp.item() + 0.1 * flat.item(), rel=1e-5)


def test_samples_never_hold_a_forbidden_word(decoder, grid):
    with torch.no_grad():
        decoder.bias[[PAD, START, UNK]] = 30.0  # what the decoder would love to say
    drawn = sample(decoder, grid, 50, MAX_WORDS)
    assert drawn.shape[:2] == (2, 50)
    ended = (drawn == END).cumsum(-1) - (drawn == END).long() > 0
    assert not torch.isin(drawn[~ended], torch.tensor([PAD, START, UNK])).any()
    assert (drawn[ended] == PAD).all()


def test_a_caption_counts_by_its_weight(decoder, grid):
    inputs, targets = as_tensor([[[4, 5]], [[6]]], MAX_WORDS)
    alone = [cross_entropy(decoder, grid[b : b + 1], inputs[b : b + 1], targets[b : b + 1], 0.1) for b in (0, 1)]
    loss, count = cross_entropy(decoder, grid, inputs, targets, 0.1, torch.tensor([[1.0], [0.25]]))
    torch.testing.assert_close(loss, alone[0][0] + 0.25 * alone[1][0])
    assert count == alone[0][1] + 0.25 * alone[1][1]


def test_samples_follow_the_decoders_probabilities(decoder, grid):
    torch.manual_seed(1)
    first = sample(decoder, grid[:1], 20_000, 1)[0, :, 0]
    memory, state = decoder.start(grid[:1])
    probabilities = decoder.step(torch.tensor([[START]]), memory, state)[0][0, 0].exp()
    probabilities[[PAD, START, UNK]] = 0
    seen = torch.bincount(first, minlength=WORDS) / len(first)
    torch.testing.assert_close(seen, probabilities / probabilities.sum(), rtol=0, atol=0.015)


def test_the_same_reward_for_all_samples_gives_no_gradient(decoder, grid):
    nothing = CiderD.from_references(LINES)
    for photo in PHOTOS:
        nothing.add(photo, [[100, 101]])  # words that nobody can say
    loss, count, mean = self_critical(decoder, grid, PHOTOS, Reward(nothing), SAMPLES, MAX_WORDS)
    loss.backward()
    assert (loss.item(), mean) == (0, 0)
    assert count > 0
    assert not any(value.grad.any() for value in decoder.parameters())


def test_the_end_token_is_in_the_reward(decoder, grid):
    with torch.no_grad():
        decoder.bias[END] = 30.0  # every sample is an end and nothing else
    reward = CiderD({}, documents=10)
    for photo in PHOTOS:
        reward.add(photo, [[4, END]])
    _, count, mean = self_critical(decoder, grid, PHOTOS, Reward(reward), SAMPLES, MAX_WORDS)
    assert count == len(PHOTOS) * SAMPLES
    assert mean == pytest.approx(reward.score("one", [END]))
    assert mean > 0


def test_the_baseline_of_a_sample_is_the_mean_reward_of_the_others(decoder, grid, reward):
    torch.manual_seed(3)
    drawn = sample(decoder, grid, SAMPLES, MAX_WORDS).tolist()
    by_hand, rewards = 0.0, []
    for photo, name in enumerate(PHOTOS):
        lines = [[token for token in line if token != PAD] for line in drawn[photo]]
        own = [reward.score(name, line) for line in lines]
        rewards += own
        for number, line in enumerate(lines):
            others = [value for other, value in enumerate(own) if other != number]
            advantage = own[number] - sum(others) / len(others)
            by_hand -= advantage * log_probability(decoder, grid[photo : photo + 1], line)
    torch.manual_seed(3)
    loss, count, mean = self_critical(decoder, grid, PHOTOS, Reward(reward), SAMPLES, MAX_WORDS)
    assert len(set(rewards)) > 2
    assert loss.item() == pytest.approx(by_hand, rel=1e-4)
    assert count == sum(token != PAD for lines in drawn for line in lines for token in line)
    assert mean == pytest.approx(sum(rewards) / len(rewards), rel=1e-5)


def test_a_step_down_the_gradient_makes_better_samples_likelier(decoder, grid, reward):
    def expected() -> float:
        torch.manual_seed(5)
        return self_critical(decoder, grid, PHOTOS, Reward(reward), 200, MAX_WORDS)[2]

    before = expected()
    optimiser = torch.optim.Adam(decoder.parameters(), 0.01)
    for _ in range(40):
        loss, count, _ = self_critical(decoder, grid, PHOTOS, Reward(reward), 20, MAX_WORDS)
        optimiser.zero_grad()
        (loss / count).backward()
        optimiser.step()
    assert expected() > 1.5 * before


def log_probability(decoder: Decoder, grid: "torch.Tensor", line: list[int]) -> float:
    """Of a sentence among those that may be said."""
    memory, state = decoder.start(grid)
    total = 0.0
    for before, word in zip([START, *line], line, strict=False):
        log_probs, state, _ = decoder.step(torch.tensor([[before]]), memory, state)
        log_probs[..., [PAD, START, UNK]] = -torch.inf
        total += log_probs.log_softmax(-1)[0, 0, word].item()
    return total
