"""Where training gets the encoder's grids: from the cache, or from the encoder run live."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.encoders import normalise
from model.errors import UnreadablePhoto
from model.photos import read_photo
from training.augment import SIDE, vary
from training.data import Dataset, Example
from training.features import Features, grid_of
from training.precision import mixed_precision

CENTRED_ON = 500  # photos
FIRST = ("cells", "whole")  # what decoders call their first layer
KEPT = 20_000  # decoded photos that are kept in memory, 150 kB each


class Grids(Protocol):
    """Gives the grids of a batch of photos; in training they may differ from time to time."""

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        """(B, R, C) float32. `random` is given in training only: it draws views and augmentation."""
        ...

    def parameters(self) -> list[nn.Parameter]:
        """What of the encoder is trained."""
        ...


class CachedGrids:
    """Features from disk; in training a photo in any of its views, but never mirrored if its captions name a side."""

    def __init__(self, features: Features, device: torch.device):
        self.features, self.device = features, device

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        rows = self.features.batch([example.id for example in batch])
        if random is not None:
            views = [*self.features.views]
            drawn = random.integers(len(views), size=len(batch))
            for number, view in enumerate(views):
                chosen = np.flatnonzero((drawn == number) & ((view != "flip") | _mirrorable(batch))).tolist()
                if view != "plain" and chosen:
                    rows[chosen] = self.features.batch([batch[photo].id for photo in chosen], view)
        return torch.from_numpy(rows).to(self.device).float()

    def parameters(self) -> list[nn.Parameter]:
        return []


class LiveGrids:
    """The encoder run on pixels, its last stages trained, photos augmented: cut, mirrored and recoloured a little.

    Batch norms keep their statistics: batches here are small.
    """

    def __init__(self, dataset: Dataset, encoder: nn.Module, tuned_stages: int, device: torch.device):
        self.dataset, self.device = dataset, device
        self.encoder = encoder.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
        trunk = getattr(encoder, "features", encoder)  # of VGG and DenseNet
        stages = [module for module in trunk.children() if any(True for _ in module.parameters())]
        for stage in stages[max(0, len(stages) - tuned_stages) :]:
            stage.requires_grad_(True)
        self.pixels: dict[str, np.ndarray] = {}

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        photos = torch.from_numpy(np.stack([self._read(example) for example in batch])).to(self.device)
        if random is not None:
            photos = vary(photos, _mirrorable(batch) & (random.random(len(batch)) < 0.5), random)
        learning = random is not None and torch.is_grad_enabled()
        with mixed_precision(self.device), torch.set_grad_enabled(learning):
            return grid_of(self.encoder(normalise(photos))).float()

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]

    def read_all(self, examples: Sequence[Example]) -> dict[str, str]:
        """Read every photo once, so that training meets no broken one. Returns these: id -> reason."""
        broken = {}
        with ThreadPoolExecutor(2) as threads:
            reading = [(example, threads.submit(self._read, example)) for example in examples]
            for example, pixels in tqdm(reading, desc="reading photos", unit="photo", disable=None):
                try:
                    pixels.result()
                except (UnreadablePhoto, OSError) as error:
                    broken[example.id] = f"{example.photo}: {error}"
        return broken

    def _read(self, example: Example) -> np.ndarray:
        pixels = self.pixels.get(example.id)
        if pixels is None:
            pixels = read_photo(self.dataset.photo_bytes(example), size=SIDE)
            if len(self.pixels) < KEPT:
                self.pixels[example.id] = pixels
        return pixels


class CentredGrids:
    """Grids less the mean cell of the training photos.

    An encoder's features are all positive. So Adam's steps, which have the sign of what they have in common, push a
    unit of the decoder's first layer far to one side: without this two thirds of them fell silent for good in six
    epochs. `fold` gives the decoder that wants features as they are.
    """

    def __init__(self, grids: Grids, examples: Sequence[Example]):
        """examples: training photos; with none the grids stay as they are."""
        self.grids, self.mean = grids, torch.zeros(())
        if examples:
            with torch.no_grad():
                means = [grids(part).mean((0, 1)) for part in batches(examples[:CENTRED_ON], 50, None)]
            self.mean = torch.stack(means).mean(0)  # (C,)

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        return self.grids(batch, random) - self.mean

    def parameters(self) -> list[nn.Parameter]:
        return self.grids.parameters()

    def fold(self, state: Mapping[str, Tensor], sign: int = 1) -> dict[str, Tensor]:
        """Weights of a decoder for centred features -> the same decoder for others; the way back with -1."""
        if not self.mean.dim():
            return dict(state)
        first = next(name for name in FIRST if f"{name}.weight" in state)
        moved = state[f"{first}.weight"] @ self.mean.to(state[f"{first}.weight"].device)
        return {**state, f"{first}.bias": state[f"{first}.bias"] - sign * moved}


def batches(examples: Sequence[Example], size: int, random: np.random.Generator | None) -> list[list[Example]]:
    """Cut into batches of at most `size`, nearly equal so that none is tiny; shuffled if `random` is given."""
    order = np.arange(len(examples)) if random is None else random.permutation(len(examples))
    return [[examples[number] for number in part] for part in np.array_split(order, ceil(len(examples) / size))]


def ahead(
    grids: Grids, parts: Sequence[list[Example]], random: np.random.Generator | None
) -> Iterator[tuple[list[Example], Tensor]]:
    """Each batch with its grids. Those of the next batch are made in a thread while this one is trained on.

    `random` is drawn from in that thread, so nothing else may draw from it.
    """
    if grids.parameters():  # they change with this batch, and gradients flow through them
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


def _mirrorable(batch: Sequence[Example]) -> np.ndarray:
    return np.array([example.mirrorable for example in batch])
