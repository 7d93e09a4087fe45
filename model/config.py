"""The shape of a network: every size and choice that is needed to rebuild it from its weights."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, TypeAdapter

from model.errors import DamagedModel
from model.json_files import read_as

DECODERS = ("attention", "pooled", "bilstm")
ENCODERS = {
    "resnet50": 2048,
    "resnet101": 2048,
    "vgg16": 512,
    "densenet201": 1920,
}  # name -> channels of its feature grid


Size = Annotated[int, Field(ge=1, le=4096)]  # of a layer


@dataclass(frozen=True)
class ModelConfig:
    """Shape of encoder and decoder, stored beside the weights as config.json. A wrong key or value is an error.

    The bounds are those of a file: a folder from a stranger may not make a network that takes all memory, or hours.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    vocabulary_size: Annotated[int, Field(ge=5, le=200_000)]
    decoder: str = "attention"  # attention, pooled or bilstm: see model/pytorch/decoders.py
    encoder: str = "resnet50"  # a key of ENCODERS
    # Pixels per side; the photo is squashed to a square.
    photo_size: Annotated[int, Field(ge=32, le=512)] = 224
    embedding: Size = 512  # size of a word vector
    hidden: Size = 512  # size of an LSTM's state
    heads: Size = 8  # attention heads over the grid
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5  # training only
    max_words: Annotated[int, Field(ge=1, le=100)] = 20  # of the longest caption that decoding may produce
    # alpha in score = log-probability / words ** alpha; chosen on validation photos
    length_penalty: Annotated[float, Field(ge=0, le=10)] = 0.7

    def __post_init__(self) -> None:
        if self.decoder not in DECODERS:
            raise DamagedModel(f"decoder is {self.decoder!r}; it must be one of {', '.join(DECODERS)}")
        if self.encoder not in ENCODERS:
            raise DamagedModel(f"encoder is {self.encoder!r}; it must be one of {', '.join(ENCODERS)}")
        if self.heads < 1 or self.hidden % self.heads:
            raise DamagedModel(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")

    @property
    def channels(self) -> int:
        """Channels of the encoder's feature grid."""
        return ENCODERS[self.encoder]

    @property
    def regions(self) -> int:
        """Cells of the encoder's feature grid: every encoder here reduces each side by 32, so 7 x 7 from 224."""
        return (self.photo_size // 32) ** 2

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises DamagedModel."""
        return read_as(TypeAdapter(cls), path, "a model configuration")

    def save(self, path: Path) -> None:
        """Write a JSON object with a key for each field."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
