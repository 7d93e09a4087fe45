"""How fast a model captions: the encoder alone, and everything from files to sentences, in the same run."""

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
# The machine's mood changes: the contestants take turns, and medians count.
ROUNDS = 3
TURN = 5.0  # seconds at least that each of them is measured, over and over


@dataclass(frozen=True)
class Speed:
    """Of one engine in one precision."""

    engine: str
    precision: str
    encoder: float  # photos a second, from pixels to what the decoder looks at
    whole: float  # photos a second, from files to sentences
    share: float  # whole / encoder of measurements that followed each other
    cold_start: float  # seconds that a fresh process takes for a single photo, in the precision that serves


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
    """Time each engine that is installed on as many photos, the paths over and over.

    Raises UnreadablePhoto, and what `Captioner.load` raises.
    """
    engines = [(engine, precision) for engine, precision in contestants if find_spec(engine)]
    repeated = list(islice(cycle(paths), photos))
    captioners = [Captioner.load(folder, engine, precision=precision) for engine, precision in engines]
    pixels = [read_picture(path, size=captioners[0].config.photo_size) for path in repeated]
    seconds: list[list[tuple[float, float]]] = [[] for _ in captioners]
    for captioner in captioners:
        _caption(captioner, repeated[:batch], batch, beams)  # the first batch pays for what is set up then
    for _ in range(ROUNDS):
        for captioner, taken in zip(captioners, seconds, strict=True):
            end = time.perf_counter() + turn
            while True:
                taken.append((encode(captioner, pixels, batch), _caption(captioner, repeated, batch, beams)))
                if time.perf_counter() >= end:
                    break
    for (engine, _), captioner, taken in zip(engines, captioners, seconds, strict=True):
        encoder, whole = (photos / median(column) for column in zip(*taken, strict=True))
        share = median(alone / all_of_it for alone, all_of_it in taken)
        precision = getattr(captioner.engine, "precision", "")
        yield Speed(engine, precision, encoder, whole, share, _cold_start(folder, paths[0], engine))


def encode(captioner: Captioner, pixels: Sequence[np.ndarray], batch: int) -> float:
    """Seconds that the encoder alone takes for these photos, in all of its engine's lanes."""

    def look(start: int) -> None:
        memory, _ = captioner.engine.encode(np.stack(pixels[start : start + batch]))
        for value in memory.values():
            value.ravel()[0].item()  # a GPU has finished only when a value is read

    begin = time.perf_counter()
    with ThreadPoolExecutor(captioner.engine.lanes) as lanes:
        for _ in lanes.map(look, range(0, len(pixels), batch)):
            pass
    return time.perf_counter() - begin


def _caption(captioner: Captioner, paths: Sequence[Path], batch: int, beams: int) -> float:
    """Reading the files included."""
    begin = time.perf_counter()
    for _ in caption_files(captioner, paths, batch=batch, beams=beams, lanes=captioner.engine.lanes):
        pass
    return time.perf_counter() - begin


def _cold_start(folder: Path, photo: Path, engine: str) -> float:
    command = [sys.executable, "-m", "captionbot", "caption", str(photo), "--model", str(folder), "--engine", engine]
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).resolve().parent.parent)
    return time.perf_counter() - begin
