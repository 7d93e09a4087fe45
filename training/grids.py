"""Where training gets the encoder's grids: from the cache, or from the encoder run live."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from model.encoders import Encoder, normalise
from model.photos import read_photo
from training.data import Dataset, Example, names_a_side
from training.features import Features


class Grids(Protocol):
    """Gives the grids of a batch of photos; in training they may differ from time to time."""

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        """(B, R, C) float32. `random` is given in training only: it draws views and augmentation."""
        ...

    def parameters(self) -> list[nn.Parameter]:
        """What of the encoder is trained."""
        ...


class CachedGrids:
    """Features from disk; a mirrored view for half of the photos whose captions name no side."""

    def __init__(self, features: Features, device: torch.device):
        self.features, self.device = features, device

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        rows = self.features.batch([example.id for example in batch])
        if random is not None and "flip" in self.features.views:
            chosen = [number for number, example in enumerate(batch) if _may_flip(example) and random.random() < 0.5]
            if chosen:
                rows[chosen] = self.features.batch([batch[number].id for number in chosen], "flip")
        return torch.from_numpy(rows).to(self.device).float()

    def parameters(self) -> list[nn.Parameter]:
        return []


class LiveGrids:
    """The encoder run on pixels, its last stages trained, photos augmented: mirrored and cut a little.

    Colours change little because captions name them. Batch norms keep their statistics: batches here are small.
    """

    def __init__(self, dataset: Dataset, encoder: Encoder, tuned_stages: int, device: torch.device):
        self.dataset, self.device = dataset, device
        self.encoder = encoder.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
        stages = [module for module in encoder.children() if any(True for _ in module.parameters())]
        for stage in stages[len(stages) - tuned_stages :]:
            stage.requires_grad_(True)
        self.pixels: dict[str, np.ndarray] = {}
        self.augment = v2.Compose(
            [
                v2.RandomResizedCrop(224, scale=(0.7, 1.0), ratio=(0.85, 1.18), antialias=True),
                v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.1),
            ]
        )

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        photos = [self._read(example) for example in batch]
        if random is not None:
            photos = [self._augmented(*pair, random) for pair in zip(photos, batch, strict=True)]
        with torch.set_grad_enabled(random is not None and torch.is_grad_enabled()):
            return self.encoder(normalise(torch.from_numpy(np.stack(photos)).to(self.device)))

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]

    def _read(self, example: Example) -> np.ndarray:
        """Decoded once and kept: 150 kB a photo."""
        if example.id not in self.pixels:
            self.pixels[example.id] = read_photo(self.dataset.photo_bytes(example))
        return self.pixels[example.id]

    def _augmented(self, photo: np.ndarray, example: Example, random: np.random.Generator) -> np.ndarray:
        pixels = self.augment(torch.from_numpy(photo).permute(2, 0, 1)).permute(1, 2, 0).numpy()
        return pixels[:, ::-1] if _may_flip(example) and random.random() < 0.5 else pixels


def batches(examples: Sequence[Example], size: int, random: np.random.Generator | None) -> list[list[Example]]:
    """Cut into batches, shuffled if `random` is given. The last one may be smaller."""
    order = range(len(examples)) if random is None else random.permutation(len(examples))
    shuffled = [examples[number] for number in order]
    return [shuffled[start : start + size] for start in range(0, len(shuffled), size)]


def ahead(grids: Grids, parts: Sequence[list[Example]], random: np.random.Generator | None) -> Iterator[tuple[list[Example], Tensor]]:
    """Each batch with its grids. Cached grids of the next batch are read while this one is trained on."""
    if grids.parameters():  # gradients flow through these, so each must be made when it is needed
        yield from ((part, grids(part, random)) for part in parts)
        return
    with ThreadPoolExecutor(1) as thread:
        coming = None
        for part in parts:
            now, coming = coming, (part, thread.submit(grids, part, random))
            if now:
                yield now[0], now[1].result()
        if coming:
            yield coming[0], coming[1].result()


def _may_flip(example: Example) -> bool:
    return not any(names_a_side(caption) for caption in example.captions)
