"""Data augmentation: random crops, flips and colour jitter."""

import numpy as np
import pytest
import torch

from training.features.augment import colour_jitter, crop_and_resize, random_boxes

PHOTOS = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8))


def test_boxes_lie_within_the_photo():
    boxes = random_boxes(1000, 40, (20, 40), 1.3, np.random.default_rng(1))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 40).all()


def test_boxes_have_the_requested_sizes_and_aspect_ratios():
    boxes = random_boxes(1000, 100, (20, 40), 1.3, np.random.default_rng(1))
    length, ratio = np.sqrt(boxes[:, 2] * boxes[:, 3]), boxes[:, 2] / boxes[:, 3]
    assert [length.min(), length.max()] == pytest.approx([20, 40], abs=0.5)
    assert [ratio.min(), ratio.max()] == pytest.approx([1 / 1.3, 1.3], abs=0.02)


def test_a_crop_of_the_output_size_keeps_the_pixels():
    boxes = np.array([[3, 5, 32, 32], [0, 0, 32, 32], [8, 8, 32, 32]])
    pictures = crop_and_resize(PHOTOS, boxes, np.array([False, True, False]), 32)
    torch.testing.assert_close(pictures[0], PHOTOS[0, 5:37, 3:35].float(), rtol=0, atol=0.05)
    torch.testing.assert_close(pictures[1], PHOTOS[1, :32, :32].flip(1).float(), rtol=0, atol=0.05)
    torch.testing.assert_close(pictures[2], PHOTOS[2, 8:, 8:].float(), rtol=0, atol=0.05)


def test_colour_jitter_of_strength_zero_changes_nothing():
    pictures = colour_jitter(PHOTOS.float(), (0.0, 0.0, 0.0), np.random.default_rng(1))
    torch.testing.assert_close(pictures, PHOTOS.float(), rtol=0, atol=0.001)


def test_each_strength_has_its_effect():
    grey = torch.full((8, 4, 4, 3), 100.0)
    random = np.random.default_rng(1)
    assert colour_jitter(grey, (0.2, 0, 0), random).mean((1, 2, 3)).std() > 5, "brightness"
    halves = torch.cat([grey - 50, grey + 50], 1)
    assert colour_jitter(halves, (0, 0.2, 0), random).std((1, 2, 3)).std() > 2, "contrast"
    red = grey * torch.tensor([1.5, 0.5, 0.5])
    assert colour_jitter(red, (0, 0, 0.2), random)[..., 0].mean((1, 2)).std() > 2, "saturation"


def test_the_same_generator_gives_the_same_pictures():
    def picture() -> "torch.Tensor":
        random = np.random.default_rng([1, 7])
        boxes = random_boxes(3, 40, (20, 40), 1.3, random)
        return colour_jitter(crop_and_resize(PHOTOS, boxes, random.random(3) < 0.5, 32), (0.2, 0.2, 0.1), random)

    first = picture()
    torch.rand(5)  # what else draws from the global generator is no matter
    assert torch.equal(first, picture())
