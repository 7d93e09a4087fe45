"""What a network looks like: every size and choice that must be known to rebuild it from its weights."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from model.errors import DamagedModel

DECODERS = ("attention", "pooled", "bilstm")
ENCODERS = {"resnet50": 2048, "resnet101": 2048, "vgg16": 512, "densenet201": 1920}  # name -> channels of its 7x7 grid


@dataclass(frozen=True)
class ModelConfig:
    """Shape of encoder and decoder. Travels with the weights as config.json; a wrong key or value is an error."""

    vocabulary_size: int
    decoder: str = "attention"  # attention, pooled or bilstm: see model/decoders.py
    encoder: str = "resnet50"  # a key of ENCODERS
    photo_size: int = 224  # pixels a side; the photo is squashed to a square
    embedding: int = 512  # size of a word vector
    hidden: int = 512  # size of an LSTM's state
    heads: int = 8  # attention heads over the grid
    dropout: float = 0.5  # training only
    max_words: int = 20  # longest sentence that decoding may produce
    length_penalty: float = 0.7  # alpha: score = log-probability / words ** alpha; chosen on dev

    def __post_init__(self) -> None:
        if self.decoder not in DECODERS:
            raise DamagedModel(f"decoder is {self.decoder!r}; it must be one of {', '.join(DECODERS)}")
        if self.encoder not in ENCODERS:
            raise DamagedModel(f"encoder is {self.encoder!r}; it must be one of {', '.join(ENCODERS)}")
        if self.hidden % self.heads:
            raise DamagedModel(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")

    @property
    def channels(self) -> int:
        """Channels of the encoder's grid."""
        return ENCODERS[self.encoder]

    @property
    def regions(self) -> int:
        """Cells of the encoder's grid: every encoder here divides a side by 32."""
        return (self.photo_size // 32) ** 2

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            return cls(**json.loads(path.read_text()))
        except (TypeError, ValueError) as error:
            raise DamagedModel(f"{path}: not a model configuration ({error})") from None

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
