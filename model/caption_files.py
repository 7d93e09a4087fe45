"""Caption image files: find them, decode them on threads ahead of the engine, and caption them in batches, in order."""

import hashlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from model.captioner import Prediction
from model.errors import UnreadablePhoto
from model.images.image_file import SUFFIXES
from model.preprocessing import MAX_PIXELS, read_photo_file

# What operating systems and network drives write among people's files. `*` in a shell names it too.
SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"))
SYSTEM_FOLDERS = frozenset(("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information"))
MEMORY = 10_000  # photos whose predictions are kept for equal ones
READERS = 2  # threads that decode images; more would take the cores from the engine
AHEAD = 3  # batches that may be decoded before the engine needs them

Decoded = np.ndarray | UnreadablePhoto  # a file's pixels, or why there are none


class PhotoCaptioner(Protocol):
    """The part of Captioner that is used here."""

    def caption(self, photos: Sequence[np.ndarray], *, beams: int, nbest: int) -> list[Prediction]: ...


class RepeatedPhotos:
    """Captions equal photos once. Of the newest MEMORY photos it keeps the predictions."""

    def __init__(self, captioner: PhotoCaptioner):
        self._captioner = captioner
        self._known: OrderedDict[bytes, Prediction] = OrderedDict()
        self._lock = threading.Lock()  # batches are captioned on several threads

    def caption(self, photos: Sequence[np.ndarray], *, beams: int, nbest: int) -> list[Prediction]:
        """Like that of the captioner; always called with the same beams and nbest."""
        digests = [hashlib.sha256(photo.tobytes()).digest() for photo in photos]
        with self._lock:
            found = {digest: self._known[digest] for digest in digests if digest in self._known}
        new = {digest: photo for digest, photo in zip(digests, photos, strict=True) if digest not in found}
        if new:
            predictions = self._captioner.caption(list(new.values()), beams=beams, nbest=nbest)
            found |= dict(zip(new, predictions, strict=True))
        with self._lock:
            self._known.update(found)
            while len(self._known) > MEMORY:
                self._known.popitem(last=False)
        return [found[digest] for digest in digests]


@dataclass(frozen=True)
class CaptionedFile:
    """A photo with its prediction."""

    path: Path
    photo: np.ndarray  # uint8 (size, size, 3), the encoder's input
    prediction: Prediction
    milliseconds: float  # that the batch took in the model, divided by the number of its photos


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be read as a photo, and why."""

    path: Path
    error: UnreadablePhoto


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """The files that were named, in order. A folder stands for the image files below it, sorted by path.

    Hidden files and those of operating systems are left out. A folder without any image stays in the list as it is, so
    that `read_picture` can report it; so do files of operating systems if no other was named.
    """
    found: list[Path] = []
    for path in paths:
        found += (_pictures_below(path) if path.is_dir() else []) or [path]
    return [path for path in found if not _is_system_file(path)] or found


def _pictures_below(folder: Path) -> list[Path]:
    def is_shown(file: Path) -> bool:
        parts = file.relative_to(folder).parts
        return not any(part.startswith(".") or part.lower() in SYSTEM_FOLDERS for part in parts)

    files = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return sorted(file for file in files if is_shown(file) and file.is_file())


def _is_system_file(path: Path) -> bool:
    return path.name.startswith("._") or path.name.lower() in SYSTEM_FILES | {".ds_store"}


def read_picture(
    path: Path, *, size: int = 224, max_bytes: float = float("inf"), max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """`read_photo_file` that reports a folder without images as one. Raises UnreadablePhoto."""
    if path.is_dir():
        raise UnreadablePhoto(f"{path}: no pictures in this folder")
    return read_photo_file(path, size=size, max_bytes=max_bytes, max_pixels=max_pixels)


def caption_files(
    captioner: PhotoCaptioner,
    paths: Iterable[Path],
    *,
    batch: int = 16,
    beams: int = 3,
    nbest: int = 1,
    lanes: int = 1,
    read: Callable[[Path], np.ndarray] = read_picture,
) -> Iterator[CaptionedFile | FailedFile]:
    """Caption each file; there is one result for each path, in order. A broken file does not affect the others.

    Args:
        captioner: usually a Captioner.
        paths: image files.
        batch: photos per batch.
        beams: width of the beam search.
        nbest: captions per photo, the best one included.
        lanes: batches that are captioned at the same time, each on a thread of its own.
        read: decodes one file; raises UnreadablePhoto.
    """

    def caption(files: Sequence[tuple[Path, Decoded]]) -> list[CaptionedFile | FailedFile]:
        return _caption_batch(captioner, files, beams, nbest)

    with ThreadPoolExecutor(lanes, thread_name_prefix="caption") as pool:
        running: deque[Future[list[CaptionedFile | FailedFile]]] = deque()
        for files in _batches(_read_ahead(paths, AHEAD * batch, read), batch):
            running.append(pool.submit(caption, files))
            if len(running) > lanes:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _batches(read: Iterable[tuple[Path, Decoded]], size: int) -> Iterator[list[tuple[Path, Decoded]]]:
    """Cut the files into batches with `size` readable photos each; files that failed stay where they are in order."""
    waiting: list[tuple[Path, Decoded]] = []
    for path, photo in read:
        waiting.append((path, photo))
        if sum(isinstance(photo, np.ndarray) for _, photo in waiting) == size:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _caption_batch(
    captioner: PhotoCaptioner, batch: Sequence[tuple[Path, Decoded]], beams: int, nbest: int
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
) -> Iterator[tuple[Path, Decoded]]:
    """The files in order, decoded by threads; at most `ahead` of them wait in memory."""
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


def _outcome(path: Path, photo: "Future[np.ndarray]") -> tuple[Path, Decoded]:
    try:
        return path, photo.result()
    except UnreadablePhoto as error:
        return path, error
