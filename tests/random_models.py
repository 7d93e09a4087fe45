"""Models with random weights, for tests of the engines: StoredModel in memory and the PyTorch modules it came from."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")  # whoever imports this is skipped where only serving is installed

from model.checkpoint import StoredModel  # noqa: E402
from model.config import ModelConfig  # noqa: E402
from model.decoders import Decoder, build_decoder  # noqa: E402
from model.encoders import Encoder  # noqa: E402
from model.vocabulary import SPECIAL, Vocabulary  # noqa: E402

WORDS = 60


def random_model(
    decoder: str = "attention", encoder: str = "resnet50", photo_size: int = 64
) -> tuple[StoredModel, Encoder, Decoder]:
    """Small decoder, real encoder, small photos."""
    torch.manual_seed(0)
    config = ModelConfig(WORDS, decoder, encoder, photo_size, embedding=24, hidden=32, heads=4)
    eye, mouth = Encoder(encoder).eval(), build_decoder(config).eval()
    for name, value in eye.state_dict().items():
        if value.ndim == 4:
            value.copy_(value.half())  # as it is stored
        elif name.endswith("running_mean"):
            value.normal_(std=0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
    for value in mouth.state_dict().values():
        value.normal_(std=value.shape[-1] ** -0.5)
    stored = StoredModel(
        config=config,
        vocabulary=Vocabulary([*SPECIAL, *(f"word{number}" for number in range(WORDS - len(SPECIAL)))]),
        encoder={
            name: value.numpy().astype(np.float16 if value.ndim == 4 else np.float32)
            for name, value in eye.state_dict().items()
            if value.ndim
        },
        decoder={name: value.numpy() for name, value in mouth.state_dict().items()},
        metrics={},
        version="0123456789ab",
    )
    return stored, eye, mouth


def random_photos(count: int = 2, size: int = 64) -> np.ndarray:
    """Soft random colours, uint8 (count, size, size, 3)."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(size // 8, 1).repeat(size // 8, 2)
