"""Finds training photos that look like photos which another data set holds out: the same picture under another name."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from tqdm import tqdm

from db.perceptual_hash import NEAR, SIDE, perceptual_hash
from model.errors import UnreadablePhoto
from model.preprocessing import read_photo
from training.data.dataset import Dataset, Example

REASON = "training photo that looks like one that another data set holds out"


def without_lookalikes(mixed: Dataset) -> Dataset:
    """Drop the training photos whose perceptual hash is near that of a validation or test photo of another data set.

    One pair of different photos in a million is as near, so a few photos are dropped for nothing. Photos that cannot be
    read are kept: training names them.
    """
    train = mixed.split("train")
    held_out = [*mixed.split("val"), *mixed.split("test")]
    hashes = _hashes(mixed, [*train, *held_out])
    lookalikes = set()
    for name in {example.dataset for example in train}:
        mine = [example for example in train if example.dataset == name and example.id in hashes]
        others = [hashes[e.id] for e in held_out if e.dataset != name and e.id in hashes]
        if mine and others:
            distances = np.bitwise_count(
                np.array([hashes[e.id] for e in mine], np.uint64)[:, None] ^ np.array(others, np.uint64)
            )
            lookalikes |= {e.id for e, nearest in zip(mine, distances.min(1), strict=True) if nearest <= NEAR}
    for example in train:
        if example.id in lookalikes:
            mixed.report.drop(REASON, example.photo)
    kept = [example for example in mixed.examples if example.id not in lookalikes]
    return Dataset(kept, mixed.report, mixed.places, mixed.held_out)


def _hashes(dataset: Dataset, examples: Sequence[Example]) -> dict[str, int]:
    """Photo id -> its perceptual hash as 64 bits, of those that can be read."""

    def hashed(example: Example) -> int | None:
        try:
            return int(perceptual_hash(Image.fromarray(read_photo(dataset.photo_bytes(example), size=SIDE))), 16)
        except UnreadablePhoto:
            return None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = tqdm(threads.map(hashed, examples), "comparing photos", len(examples), unit="photo", disable=None)
        return {e.id: value for e, value in zip(examples, found, strict=True) if value is not None}
