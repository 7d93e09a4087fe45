"""How to round an encoder's activations to 8 bits: `quantization.json` of a model folder.

    {"encoder": "9a0b1c2d", "photos": 300, "quantile": 0.7, "ranges": {"conv1": [0.0, 2.9], ...}}

training/quantize.py measures it; engines that cannot use it leave it alone.
"""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.errors import DamagedModel


@dataclass(frozen=True)
class Quantization:
    """The range of each activation, and where it came from."""

    encoder: str  # `fingerprint` of the encoder that was measured
    photos: int  # how many it saw
    quantile: float  # see training/quantize.py
    ranges: dict[str, tuple[float, float]]  # name of an activation -> smallest and largest value to keep

    @classmethod
    def from_json(cls, value: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> "Quantization":
        """Check what a file says against the encoder's weights. Raises DamagedModel."""
        try:
            ranges = {str(name): (float(low), float(high)) for name, (low, high) in value["ranges"].items()}
            read = cls(str(value["encoder"]), int(value["photos"]), float(value["quantile"]), ranges)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedModel(f"quantization.json is not readable ({error!r}); run captionbot quantize") from None
        for name, (low, high) in ranges.items():
            if not (np.isfinite(low) and np.isfinite(high) and low <= 0 < high):
                raise DamagedModel(f"quantization.json: the range of {name} is {low} to {high}; it must hold 0")
        if read.encoder != fingerprint(weights):
            raise DamagedModel("quantization.json is of another encoder; run captionbot quantize")
        return read

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def fingerprint(weights: Mapping[str, np.ndarray]) -> str:
    """Eight hex digits that change with the weights: a guard against mix-ups, not against forgery."""
    digest = 0
    for name in sorted(weights):
        digest = zlib.crc32(np.ascontiguousarray(weights[name]).data.cast("B"), zlib.crc32(name.encode(), digest))
    return f"{digest:08x}"
