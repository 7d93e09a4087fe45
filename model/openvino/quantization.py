"""What running an encoder on 8-bit integers needs besides its weights: `quantization.json` of a model folder.

    {"encoder": "9a0b1c2d", "photos": 300, "quantile": 0.7, "ranges": {"conv1": [0.0, 2.9], ...},
     "scales": {"layer1.0.conv1": [0.0021, ...], ...}}

training/packaging/quantize.py makes it. The PyTorch engine does not use it.
"""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from model.errors import DamagedModel
from model.json_files import first_fault

Low = Annotated[float, Field(ge=-1e6, le=0)]
High = Annotated[float, Field(gt=0, le=1e6)]
Steps = Annotated[list[High], Field(max_length=100_000)]


@dataclass(frozen=True)
class Quantization:
    """The range of each activation, and how it was measured."""

    encoder: str  # `fingerprint` of the encoder that was measured
    photos: int  # that were used
    quantile: float  # see training/packaging/quantize.py
    ranges: Annotated[
        dict[str, tuple[Low, High]], Field(max_length=2000)
    ]  # name of an activation -> lowest and highest value; others are clipped
    scales: Annotated[dict[str, Steps], Field(max_length=2000)] = field(
        default_factory=dict
    )  # name of a convolution whose weights are rounded -> the step of each output channel's, batch norm included

    @classmethod
    def from_json(cls, value: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> "Quantization":
        """Read what `to_json` wrote, and check that it was measured with these weights. Raises DamagedModel."""
        try:
            read = TypeAdapter(cls).validate_python(value)
        except ValidationError as error:
            raise DamagedModel(
                f"quantization.json is not readable ({first_fault(error)}); run captionbot quantize"
            ) from None
        if read.encoder != fingerprint(weights):
            raise DamagedModel("quantization.json is of another encoder; run captionbot quantize")
        return read

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def fingerprint(weights: Mapping[str, np.ndarray]) -> str:
    """CRC-32 of names and weights, eight hexadecimal digits. It protects from mistakes, not from attacks."""
    digest = 0
    for name in sorted(weights):
        digest = zlib.crc32(np.ascontiguousarray(weights[name]).data.cast("B"), zlib.crc32(name.encode(), digest))
    return f"{digest:08x}"
