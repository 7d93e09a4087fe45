"""How fast each engine captions with a model: the encoder alone, and everything from files to captions, in one run."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np

from model.caption_files import caption_files, read_picture
from model.captioner import Captioner, Precision

CONTESTANTS: tuple[tuple[str, Precision], ...] = (("openvino", "auto"), ("openvino", "f32"), ("torch", "auto"))
# The speed of a machine changes over minutes, so the contestants take turns, and medians are reported.
ROUNDS = 3
TURN = 5.0  # seconds that a contestant is measured in its turn, at least


@dataclass(frozen=True)
class Speed:
    """The speed of one engine in one precision."""

    engine: str
    precision: str
    encoder: float  # photos per second, from pixels to the decoder's memory
    whole: float  # photos per second, from files to captions
    share: float  # whole / encoder, the median over pairs of measurements that followed each other
    cold_start: float  # seconds that a new process takes for a single photo, in the engine's default precision


def bench(
    folder: Path,
    paths: Sequence[Path],
    *,
    photos: int,
    batch: int,
    beams: int,
    contestants: Sequence[tuple[str, Precision]] = CONTESTANTS,
    turn: float = TURN,
) -> Iterator[Speed]:
    """Time each engine that is installed.

    Args:
        folder: a model folder.
        paths: image files; they are repeated until there are enough.
        photos: photos per measurement.
        batch: photos per batch.
        beams: width of the beam search.
        contestants: engine and precision; those that are not installed are left out.
        turn: seconds that each is measured in each of the rounds, at least.

    Raises:
        DamagedModel: the model folder is damaged.
        UnreadablePhoto: a file is no photo.
    """
    engines = [(engine, precision) for engine, precision in contestants if find_spec(engine)]
    repeated = list(islice(cycle(paths), photos))
    captioners = [Captioner.load(folder, engine, precision=precision) for engine, precision in engines]
    pixels = [read_picture(path, size=captioners[0].config.photo_size) for path in repeated]
    seconds: list[list[tuple[float, float]]] = [[] for _ in captioners]
    for captioner in captioners:
        _caption(captioner, repeated[:batch], batch, beams)  # the first batch takes longer: it sets things up
    for _ in range(ROUNDS):
        for captioner, taken in zip(captioners, seconds, strict=True):
            end = time.perf_counter() + turn
            while True:
                taken.append((encode(captioner, pixels, batch), _caption(captioner, repeated, batch, beams)))
                if time.perf_counter() >= end:
                    break
    for (engine, _), captioner, taken in zip(engines, captioners, seconds, strict=True):
        encoder, whole = (photos / median(column) for column in zip(*taken, strict=True))
        share = median(alone / everything for alone, everything in taken)
        precision = getattr(captioner.engine, "precision", "")
        yield Speed(engine, precision, encoder, whole, share, _cold_start(folder, paths[0], engine))


def encode(captioner: Captioner, pixels: Sequence[np.ndarray], batch: int) -> float:
    """Seconds that the encoder alone takes for these photos, with as many batches at a time as the engine has lanes."""

    def encode_batch(start: int) -> None:
        memory, _ = captioner.engine.encode(np.stack(pixels[start : start + batch]))
        for value in memory.values():
            value.ravel()[0].item()  # a GPU has finished for certain when a value was read

    begin = time.perf_counter()
    with ThreadPoolExecutor(captioner.engine.lanes) as lanes:
        for _ in lanes.map(encode_batch, range(0, len(pixels), batch)):
            pass
    return time.perf_counter() - begin


def _caption(captioner: Captioner, paths: Sequence[Path], batch: int, beams: int) -> float:
    """Seconds from these files to their captions, reading the files included."""
    begin = time.perf_counter()
    for _ in caption_files(captioner, paths, batch=batch, beams=beams, lanes=captioner.engine.lanes):
        pass
    return time.perf_counter() - begin


def _cold_start(folder: Path, photo: Path, engine: str) -> float:
    """Seconds that `captionbot caption` takes for one photo in a new process."""
    command = [sys.executable, "-m", "captionbot", "caption", str(photo), "--model", str(folder), "--engine", engine]
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).resolve().parents[2])
    return time.perf_counter() - begin
