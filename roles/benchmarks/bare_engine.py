"""Speed of the encoder and the engine without the service, to compare the service with."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median

import numpy as np

from model.benchmarks.benchmark import encode
from model.captioner import Captioner
from model.preprocessing import read_photo
from settings import Settings

ROUNDS = 2  # in each run; it runs before and after the service, because the speed of a machine varies over time


class Encoders:
    """Times the encoder alone, as it serves and in OpenVINO's float32, on the same photos."""

    def __init__(self, settings: Settings, captioner: Captioner, photos: Sequence[np.ndarray]):
        self._photos, self._batch = photos, settings.max_batch
        captioners = {"as it serves": captioner}
        if find_spec("openvino"):
            captioners["in float32"] = Captioner.load(settings.model_dir, "openvino", precision="f32")
        self._captioners = captioners
        self._seconds: dict[str, list[float]] = {name: [] for name in captioners}
        for captioner in captioners.values():
            encode(captioner, photos[: self._batch], self._batch)  # the first batch includes one-time initialisation

    def run(self) -> None:
        for _ in range(ROUNDS):
            for name, captioner in self._captioners.items():
                self._seconds[name].append(encode(captioner, self._photos, self._batch))

    def rates(self) -> dict[str, float]:
        """Photos per second of each encoder."""
        return {name: len(self._photos) / median(seconds) for name, seconds in self._seconds.items()}


@dataclass(frozen=True)
class TimedPhoto:
    """A photo, and the seconds that the engine takes from its pixels to a sentence: the median of three runs."""

    photo: bytes
    seconds: float

    @classmethod
    def measure(cls, captioner: Captioner, photo: bytes, beams: int) -> "TimedPhoto":
        pixels = read_photo(photo, size=captioner.config.photo_size)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            captioner.caption([pixels], beams=beams)
            seconds.append(time.perf_counter() - start)
        return cls(photo, median(seconds))
