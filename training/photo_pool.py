"""Photos without captions, decoded once into memory: what an encoder is distilled on.

They come from any mix of data sets, folders and tar archives. Of a data set only training photos are taken. What it
holds out is not taken from anywhere else either: not from its own archives when these are named, and not from another
source that has the photo under the same name.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.caption_files import SUFFIXES
from model.errors import BadData, UnreadablePhoto
from model.photos import read_photo
from training import parallel
from training.data import Dataset, load_dataset
from training.data.dataset import READERS
from training.data.identity import photo_id, photo_key
from training.data.photo_files import PhotoFiles, Place
from training.run_state import generator

HELD_OUT = 50  # one photo in so many, by the hash of its name, is never learnt from: the error is measured on these


@dataclass(frozen=True)
class PhotoPool:
    """Photos, uint8 (N, size, size, 3). With several processes each has its share of those to learn from."""

    photos: Tensor
    held_out: Tensor  # empty but in the main process
    total: int  # photos to learn from, of all processes

    def batch(self, step: int, size: int, seed: int) -> Tensor:
        """Photos of a step, counted from 0, uint8 (size, S, S, 3). Each comes once before any comes again."""
        rows: list[int] = []
        while len(rows) < size:
            round_, place = divmod(step * size + len(rows), len(self.photos))
            order = generator("photos", seed, round_, parallel.rank()).permutation(len(self.photos))
            rows += order[place : place + size - len(rows)].tolist()
        return self.photos[rows]


def read_pool(paths: Sequence[str], size: int, limit: int, say: Callable[[str], None]) -> PhotoPool:
    """Read the photos in `paths` at `size` pixels a side, at most `limit` (0 = all) of them chosen by hash.

    Broken ones are named and left out. Raises BadData when there is nothing to learn from, or nothing to validate on.
    """
    named = sorted(((_hash(name), name, place) for name, place in find_photos(paths)), key=lambda photo: photo[:2])
    named = named[: limit or len(named)]
    learnt = [(name, place) for number, name, place in named if number % HELD_OUT]
    held_out = [(name, place) for number, name, place in named if not number % HELD_OUT]
    if len(learnt) < parallel.world() or not held_out:
        raise BadData(f"{len(named)} photos in {', '.join(paths)}; distilling needs hundreds")
    say(f"{len(learnt)} photos to learn from, {len(held_out)} held out")
    photos = _read_all(parallel.share(learnt), size, say)
    return PhotoPool(photos, _read_all(held_out if parallel.is_main() else [], size, say), len(learnt))


def find_photos(paths: Sequence[str]) -> list[tuple[str, Place]]:
    """Names and places of the photos in data sets, folders and archives that may be learnt from. Raises BadData."""
    found: list[tuple[str, Place]] = []
    forbidden: set[str] = set()
    for path in map(Path, paths):
        dataset = _data_set(path)
        around = dataset or _data_set(path.absolute().parent)  # an archive or a folder of a data set's photos
        if around:
            forbidden |= {photo_key(photo) for photo in around.held_out}
        if dataset:
            found += [(example.id, dataset.places[example.id]) for example in dataset.split("train")]
        else:
            files = PhotoFiles(path).items()
            found += [
                (photo_id(Path(name).name), place) for name, place in files if Path(name).suffix.lower() in SUFFIXES
            ]
    return [(name, place) for name, place in found if photo_key(name) not in forbidden]


def _data_set(path: Path) -> Dataset | None:
    """The data set at `path`, if there are captions."""
    return load_dataset(path) if any(reader.find(path) for reader in READERS.values()) else None


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(photo_key(name).encode()).digest()[:8])


def _read_all(photos: Sequence[tuple[str, Place]], size: int, say: Callable[[str], None]) -> Tensor:
    def read(photo: tuple[str, Place]) -> np.ndarray | str:
        try:
            return read_photo(photo[1].read(), size=size)
        except UnreadablePhoto as error:
            return f"left out: {photo[0]}: {error}"

    pixels = torch.empty(len(photos), size, size, 3, dtype=torch.uint8)
    count = 0
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        hidden = None if parallel.is_main() and photos else True  # None: hidden where nobody watches
        for read_one in tqdm(threads.map(read, photos), "reading photos", len(photos), unit="photo", disable=hidden):
            if isinstance(read_one, str):
                say(read_one)
            else:
                pixels[count] = torch.from_numpy(read_one)
                count += 1
    return pixels[:count]
