"""A teacher for tests: a random look at each of 7 x 7 places, in as many channels as a VGG has, in next to no time."""

import torch
from torch import nn


class Teacher(nn.Module):
    """(B, 3, 224, 224) -> a list of one map (B, 512, 7, 7)."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.see = nn.Sequential(nn.AvgPool2d(8), nn.Conv2d(3, 512, 4, 4))

    def forward(self, photos: torch.Tensor) -> list[torch.Tensor]:
        return [self.see(photos) * 0.1]


def load_teacher() -> Teacher:
    return Teacher()
