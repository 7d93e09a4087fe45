"""Sources of feature grids for training: the cache, or the encoder run live."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.errors import UnreadablePhoto
from model.preprocessing import read_photo
from model.pytorch.encoders import normalise
from training.data import Dataset, Example
from training.features.augment import SIDE, augment
from training.features.feature_cache import FeatureCache, to_grid
from training.runs.distributed import mixed_precision

CENTRED_ON = 500  # photos from which the mean feature is computed
CACHED_PHOTOS = 20_000  # decoded photos that are kept in memory, 150 kB each


class Grids(Protocol):
    """Gives the feature grids of a batch of photos; in training they may be augmented."""

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        """Grids float32 (B, R, C). `random` is passed in training only; views and augmentation are drawn from it."""
        ...

    def parameters(self) -> list[nn.Parameter]:
        """The encoder's parameters that are trained."""
        ...


class CachedGrids:
    """Grids from the cache; in training those of a random view, but not mirrored if captions mention left or right."""

    def __init__(self, features: FeatureCache, device: torch.device):
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
    """The encoder run on augmented photos, with its last stages trained.

    Batch norms keep their statistics, because batches are small here.
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
            photos = augment(photos, _mirrorable(batch) & (random.random(len(batch)) < 0.5), random)
        learning = random is not None and torch.is_grad_enabled()
        with mixed_precision(self.device), torch.set_grad_enabled(learning):
            return to_grid(self.encoder(normalise(photos))).float()

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]

    def read_all(self, examples: Sequence[Example]) -> dict[str, str]:
        """Read every photo before training. Returns photo id -> why the photo could not be read."""
        unreadable = {}
        with ThreadPoolExecutor(2) as threads:
            reading = [(example, threads.submit(self._read, example)) for example in examples]
            for example, pixels in tqdm(reading, desc="reading photos", unit="photo", disable=None):
                try:
                    pixels.result()
                except (UnreadablePhoto, OSError) as error:
                    unreadable[example.id] = f"{example.photo}: {error}"
        return unreadable

    def _read(self, example: Example) -> np.ndarray:
        pixels = self.pixels.get(example.id)
        if pixels is None:
            pixels = read_photo(self.dataset.photo_bytes(example), size=SIDE)
            if len(self.pixels) < CACHED_PHOTOS:
                self.pixels[example.id] = pixels
        return pixels


class CentredGrids:
    """Grids minus the mean feature vector of the training photos.

    An encoder's features are all positive, so the gradients of a unit's weights in the decoder's first layer have the
    same sign, and Adam moves all of them in the same direction: without centring, two thirds of the units were dead
    after six epochs. `fold` gives the same decoder for features that are not centred.
    """

    def __init__(self, grids: Grids, examples: Sequence[Example]):
        """Compute the mean over training photos; without any the grids are not centred."""
        self.grids, self.mean = grids, torch.zeros(())
        if examples:
            with torch.no_grad():
                means = [grids(part).mean((0, 1)) for part in batches(examples[:CENTRED_ON], 50, None)]
            self.mean = torch.stack(means).mean(0)  # (C,)

    def __call__(self, batch: Sequence[Example], random: np.random.Generator | None = None) -> Tensor:
        return self.grids(batch, random) - self.mean

    def parameters(self) -> list[nn.Parameter]:
        return self.grids.parameters()

    def fold(self, state: Mapping[str, Tensor], layer: str, sign: int = 1) -> dict[str, Tensor]:
        """Convert a decoder for centred features to the same decoder for features that are not centred.

        The mean m moves into the bias: W (x - m) + b = W x + (b - W m).

        Args:
            state: the decoder's weights.
            layer: the linear layer that reads the features, `Decoder.feature_layer`.
            sign: 1, or -1 for the opposite conversion.
        """
        if not self.mean.dim():
            return dict(state)
        weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
        return {**state, f"{layer}.bias": bias - sign * (weight @ self.mean.to(weight.device))}


def batches(examples: Sequence[Example], size: int, random: np.random.Generator | None) -> list[list[Example]]:
    """Split examples into nearly equal batches of at most `size`; shuffled if `random` is given."""
    order = np.arange(len(examples)) if random is None else random.permutation(len(examples))
    return [[examples[number] for number in part] for part in np.array_split(order, ceil(len(examples) / size))]


def prefetch(
    grids: Grids, parts: Sequence[list[Example]], random: np.random.Generator | None
) -> Iterator[tuple[list[Example], Tensor]]:
    """Yield each batch with its grids. A thread prepares those of the next batch meanwhile.

    The thread draws from `random`, so nothing else may.
    """
    if grids.parameters():  # the encoder is trained: its grids change with each step, and gradients flow through them
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
