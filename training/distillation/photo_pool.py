"""The training photos of distillation, which need no captions, decoded once into memory.

They come from any mix of data sets, folders and tar archives. Of a data set only training photos are used. Photos that
it holds out are not used from other sources either: not from its own archives, nor from another source that has the
photo under the same name.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.errors import BadData, UnreadablePhoto
from model.images.image_file import SUFFIXES
from model.preprocessing import read_photo
from training.data import Dataset, load_dataset
from training.data.dataset import READERS
from training.data.identity import photo_id, photo_key
from training.data.photo_files import PhotoFiles, Place
from training.runs import distributed
from training.runs.run_folder import generator

HELD_OUT = 50  # one photo in fifty, by the hash of its name, is held out for validation


@dataclass(frozen=True)
class PhotoPool:
    """Photos, uint8 (N, size, size, 3). Each of several processes has its share of the training photos."""

    photos: Tensor
    held_out: Tensor  # one photo in HELD_OUT; empty except in the main process
    total: int  # training photos of all processes
    val: Tensor | None = None  # validation photos of the data sets, if any; None except in the main process

    def batch(self, step: int, size: int, seed: int) -> Tensor:
        """Photos of a step, counted from 0, uint8 (size, S, S, 3). Each is used once before any is used again."""
        rows: list[int] = []
        while len(rows) < size:
            round_, place = divmod(step * size + len(rows), len(self.photos))
            order = generator("photos", seed, round_, distributed.rank()).permutation(len(self.photos))
            rows += order[place : place + size - len(rows)].tolist()
        return self.photos[rows]


def read_pool(
    paths: Sequence[str], size: int, limit: int, echo: Callable[[str], None], leave_out: Sequence[str] = ()
) -> PhotoPool:
    """Read photos into memory. Those that cannot be read are named and left out.

    Args:
        paths: data sets, folders and tar archives.
        size: pixels a side.
        limit: how many photos, chosen by the hash of their names; 0 = all.
        leave_out: see `find_photos`.

    Raises:
        BadData: there are no training photos or no held-out ones, or a path cannot be read.
    """
    photos_by_hash = sorted(
        ((_hash(name), name, place) for name, place in find_photos(paths, leave_out)), key=lambda photo: photo[:2]
    )
    photos_by_hash = photos_by_hash[: limit or len(photos_by_hash)]
    train = [(name, place) for number, name, place in photos_by_hash if number % HELD_OUT]
    held_out = [(name, place) for number, name, place in photos_by_hash if not number % HELD_OUT]
    if len(train) < distributed.world_size() or not held_out:
        raise BadData(f"{len(photos_by_hash)} photos in {', '.join(paths)}; distilling needs hundreds")
    echo(f"{len(train)} photos to learn from, {len(held_out)} held out")
    photos = _read_all(distributed.shard(train), size, echo)
    if not distributed.is_main():
        return PhotoPool(photos, photos[:0], len(train))
    val = _validation_photos(paths)
    return PhotoPool(photos, _read_all(held_out, size, echo), len(train), _read_all(val, size, echo) if val else None)


def find_photos(paths: Sequence[str], leave_out: Sequence[str] = ()) -> list[tuple[str, Place]]:
    """Names and places of all photos that may be trained on.

    Args:
        paths: data sets, folders and tar archives.
        leave_out: prefixes of names inside folders and archives, such as "cats-test/", of photos that are not used.

    Raises:
        BadData: a path is none of these.
    """
    found: list[tuple[str, Place]] = []
    forbidden: set[str] = set()
    for path in map(Path, paths):
        dataset = _dataset_at(path)
        enclosing = dataset or _dataset_at(path.absolute().parent)  # an archive or a folder of a data set's photos
        if enclosing:
            forbidden |= {photo_key(photo) for photo in enclosing.held_out}
        if dataset:
            found += [(example.id, dataset.places[example.id]) for example in dataset.split("train")]
        else:
            files = [(name, place) for name, place in PhotoFiles(path).items() if _is_photo(name)]
            kept = [(name, place) for name, place in files if not name.startswith(tuple(leave_out))]
            found += [(photo_id(Path(name).name), place) for name, place in kept]
    return [(name, place) for name, place in found if photo_key(name) not in forbidden]


def _is_photo(name: str) -> bool:
    """Whether it is named like one; a hidden file, such as a Mac's ._IMG.jpg, is none."""
    return Path(name).suffix.lower() in SUFFIXES and not Path(name).name.startswith(".")


def _validation_photos(paths: Sequence[str]) -> list[tuple[str, Place]]:
    """Validation photos of the data sets among the paths, each once."""
    datasets = [dataset for path in paths if (dataset := _dataset_at(Path(path)))]
    return [*{e.id: (e.id, dataset.places[e.id]) for dataset in datasets for e in dataset.split("val")}.values()]


@cache
def _dataset_at(path: Path) -> Dataset | None:
    """Load the data set at `path`; None if there are no captions."""
    return load_dataset(path) if any(reader.find(path) for reader in READERS.values()) else None


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(photo_key(name).encode()).digest()[:8])


def _read_all(photos: Sequence[tuple[str, Place]], size: int, echo: Callable[[str], None]) -> Tensor:
    def read(photo: tuple[str, Place]) -> np.ndarray | str:
        try:
            return read_photo(photo[1].read(), size=size)
        except UnreadablePhoto as error:
            return f"left out: {photo[0]}: {error}"

    pixels = torch.empty(len(photos), size, size, 3, dtype=torch.uint8)
    count = 0
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        hidden = None if distributed.is_main() and photos else True  # None: hidden where the output is no terminal
        for result in tqdm(threads.map(read, photos), "reading photos", len(photos), unit="photo", disable=hidden):
            if isinstance(result, str):
                echo(result)
            else:
                pixels[count] = torch.from_numpy(result)
                count += 1
    return pixels[:count]
