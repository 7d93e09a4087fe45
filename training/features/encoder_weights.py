"""Loads encoders from any source of weights, and converts weights for model folders."""

from pathlib import Path

import numpy as np
from torch import nn

from model.model_folder import ENCODER
from model.pytorch import encoders


def load_encoder(name: str, source: str) -> nn.Module:
    """Load an encoder.

    Args:
        name: its architecture.
        source: of its weights: imagenet (torchvision's), random, a weights file, a model folder, or a teacher's Python
            file.

    Raises:
        MissingWeights: a file is missing; the message says what to put where.
    """
    if source == "imagenet":
        return encoders.pretrained(name)
    if source == "random":
        return encoders.Encoder(name).eval()
    path = Path(source)
    if path.suffix == ".py":
        return encoders.from_module(path)
    return encoders.from_file(name, path / ENCODER if path.is_dir() else path)


def stored_weights(encoder: nn.Module) -> dict[str, np.ndarray]:
    """An encoder's weights as model folders store them: convolutions in float16, all others in float32."""
    state = {k: v.cpu() for k, v in encoder.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {name: (value.half() if value.dim() == 4 else value.float()).numpy() for name, value in state.items()}
