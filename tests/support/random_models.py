"""Models with random weights, for tests of the engines: StoredModel in memory and the PyTorch modules it came from."""

import numpy as np
import torch

from model.config import ModelConfig
from model.model_folder import StoredModel
from model.pytorch.decoders import Decoder, build_decoder
from model.pytorch.encoders import Encoder
from model.vocabulary import SPECIAL, Vocabulary

WORDS = 60
LOGISTIC = {"names": ["words"], "mean": [1.0], "scale": [1.0], "weights": [0.5], "squares": [0.0], "bias": 0.1}
CONFIDENCE = {
    "good": LOGISTIC,
    "photo": LOGISTIC,
    "hedge_below": 0.2,
    "refuse_below": 0.3,
    "good_means": "as people do",
}


def random_model(
    decoder: str = "attention", encoder: str = "resnet50", photo_size: int = 64
) -> tuple[StoredModel, Encoder, Decoder]:
    """Small decoder, real encoder, small photos."""
    torch.manual_seed(0)
    config = ModelConfig(WORDS, decoder, encoder, photo_size, embedding=24, hidden=32, heads=4)
    encoder_network, decoder_network = Encoder(encoder).eval(), build_decoder(config).eval()
    for name, value in encoder_network.state_dict().items():
        if value.ndim == 4:
            value.copy_(value.half())  # as it is stored
        elif name.endswith("running_mean"):
            value.normal_(std=0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
    for value in decoder_network.state_dict().values():
        value.normal_(std=value.shape[-1] ** -0.5)
    stored = StoredModel(
        config=config,
        vocabulary=Vocabulary([*SPECIAL, *(f"word{number}" for number in range(WORDS - len(SPECIAL)))]),
        encoder={
            name: value.numpy().astype(np.float16 if value.ndim == 4 else np.float32)
            for name, value in encoder_network.state_dict().items()
            if value.ndim
        },
        decoder={name: value.numpy() for name, value in decoder_network.state_dict().items()},
        metrics={},
        version="0123456789ab",
    )
    return stored, encoder_network, decoder_network


def random_photos(count: int = 2, size: int = 64) -> np.ndarray:
    """Soft random colours, uint8 (count, size, size, 3)."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(size // 8, 1).repeat(size // 8, 2)
