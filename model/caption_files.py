"""Captions for picture files: found, read on threads ahead of the engine, captioned in batches, given back in order."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from model.captioner import Caption
from model.errors import UnreadablePhoto
from model.photos import MAX_PIXELS, read_photo_file

SUFFIXES = frozenset(".jpg .jpeg .png .webp .gif .heic .heif .avif .bmp .tif .tiff".split())
READERS = 2  # threads that decode pictures; more would take the cores from the engine
AHEAD = 3  # batches that may be read before the engine asks for them


Picture = np.ndarray | UnreadablePhoto


class Captions(Protocol):
    """What is needed of a Captioner."""

    def caption(self, photos: Sequence[np.ndarray], *, beams: int, nbest: int) -> list[Caption]: ...


@dataclass(frozen=True)
class CaptionedFile:
    """A photo with its caption. Milliseconds: the time the batch took in the model, divided by its photos."""

    path: Path
    photo: np.ndarray  # (size, size, 3) uint8, as the network saw it
    caption: Caption
    milliseconds: float


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read as a photo, and why."""

    path: Path
    error: UnreadablePhoto


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """Files as they were named; a folder gives the picture files under it, sorted, or itself if it has none."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES) if path.is_dir() else []
        found += inside or [path]
    return found


def read_picture(
    path: Path, *, size: int = 224, max_bytes: float = float("inf"), max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """`read_photo_file`, which also refuses files that are too large and folders. Raises UnreadablePhoto."""
    if path.is_dir():
        raise UnreadablePhoto(f"{path}: no pictures in this folder")
    if path.is_file() and path.stat().st_size > max_bytes:
        raise UnreadablePhoto(
            f"{path}: the file has {path.stat().st_size / 1e6:.1f} MB, the limit is {max_bytes / 1e6:g} MB"
        )
    return read_photo_file(path, size=size, max_pixels=max_pixels)


def caption_files(
    captioner: Captions,
    paths: Iterable[Path],
    *,
    batch: int = 16,
    beams: int = 3,
    nbest: int = 1,
    lanes: int = 1,
    read: Callable[[Path], np.ndarray] = read_picture,
) -> Iterator[CaptionedFile | FailedFile]:
    """One result for each path, in order. A broken photo fails alone. lanes: batches at the same time."""

    def caption(files: Sequence[tuple[Path, Picture]]) -> list[CaptionedFile | FailedFile]:
        return _caption_batch(captioner, files, beams, nbest)

    with ThreadPoolExecutor(lanes, thread_name_prefix="caption") as pool:
        running: deque[Future[list[CaptionedFile | FailedFile]]] = deque()
        for files in _batches(_read_ahead(paths, AHEAD * batch, read), batch):
            running.append(pool.submit(caption, files))
            if len(running) > lanes:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _batches(read: Iterable[tuple[Path, Picture]], size: int) -> Iterator[list[tuple[Path, Picture]]]:
    """So many photos each, and what lies between them that is no photo."""
    waiting: list[tuple[Path, Picture]] = []
    for path, photo in read:
        waiting.append((path, photo))
        if sum(isinstance(photo, np.ndarray) for _, photo in waiting) == size:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _caption_batch(
    captioner: Captions, batch: Sequence[tuple[Path, Picture]], beams: int, nbest: int
) -> list[CaptionedFile | FailedFile]:
    photos = [photo for _, photo in batch if isinstance(photo, np.ndarray)]
    start = time.perf_counter()
    captions = iter(captioner.caption(photos, beams=beams, nbest=nbest) if photos else [])
    milliseconds = (time.perf_counter() - start) * 1000 / max(1, len(photos))
    return [
        FailedFile(path, photo)
        if isinstance(photo, UnreadablePhoto)
        else CaptionedFile(path, photo, next(captions), milliseconds)
        for path, photo in batch
    ]


def _read_ahead(
    paths: Iterable[Path], ahead: int, read: Callable[[Path], np.ndarray]
) -> Iterator[tuple[Path, Picture]]:
    """Photos in order, read by threads; at most `ahead` of them wait in memory."""
    reading: deque[tuple[Path, Future[np.ndarray]]] = deque()
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="read-photo")
    try:
        for path in paths:
            reading.append((path, pool.submit(read, path)))
            if len(reading) > ahead:
                yield _outcome(*reading.popleft())
        while reading:
            yield _outcome(*reading.popleft())
    finally:  # also when the caller stops early: Ctrl-C, a closed pipe
        pool.shutdown(cancel_futures=True)


def _outcome(path: Path, photo: "Future[np.ndarray]") -> tuple[Path, Picture]:
    try:
        return path, photo.result()
    except UnreadablePhoto as error:
        return path, error
