"""Where an encoder's weights come from, and the form in which model folders keep them."""

from pathlib import Path

import numpy as np
from torch import nn

from model import encoders
from model.checkpoint import ENCODER


def load_encoder(name: str, source: str) -> nn.Module:
    """An encoder with weights from `source`: imagenet, random, a file, a model folder, or a teacher's Python file.

    Raises MissingWeights: what to put where.
    """
    if source == "imagenet":
        return encoders.pretrained(name)
    if source == "random":
        return encoders.Encoder(name).eval()
    path = Path(source)
    if path.suffix == ".py":
        return encoders.from_module(path)
    return encoders.from_file(name, path / ENCODER if path.is_dir() else path)


def storable(encoder: nn.Module) -> dict[str, np.ndarray]:
    """An encoder's weights as model folders keep them: convolutions fp16, the few others fp32."""
    state = {k: v.cpu() for k, v in encoder.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {name: (value.half() if value.dim() == 4 else value.float()).numpy() for name, value in state.items()}
