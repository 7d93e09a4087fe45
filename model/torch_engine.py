"""The PyTorch engine: GPUs, and the reference that the OpenVINO engine is tested against."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import StoredModel
from model.decoders import Arrays, build_decoder
from model.encoders import Encoder, normalise
from model.errors import DamagedModel, UnavailableEngine


class TorchEngine:
    """An encoder and a decoder in PyTorch: float32 on a CPU; bf16 products, channels-last, on a GPU."""

    def __init__(self, stored: StoredModel, *, device: str = "auto"):
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        if chosen.startswith("cuda") and not torch.cuda.is_available():
            raise UnavailableEngine("PyTorch finds no GPU here; use --engine openvino, or device cpu")
        if stored.encoder is None:
            raise DamagedModel("this model folder has no encoder: it was trained on cached features; see --features")
        self.device = torch.device(chosen)
        self.encoder = Encoder(stored.config.encoder)
        self.decoder = build_decoder(stored.config)
        for network, weights in ((self.encoder, stored.encoder), (self.decoder, stored.decoder)):
            tensors = {name: torch.from_numpy(value).float() for name, value in weights.items()}
            missing, unexpected = network.load_state_dict(tensors, strict=False)
            if wrong := [name for name in (*missing, *unexpected) if not name.endswith("num_batches_tracked")]:
                raise DamagedModel(f"the weights do not fit config.json: {len(wrong)} names differ, first {wrong[0]}")
            network.eval().requires_grad_(False)
        self.encoder.to(self.device).to(memory_format=torch.channels_last)
        self.decoder.to(self.device)

    @torch.inference_mode()
    def encode(self, photos: np.ndarray) -> tuple[Arrays, Arrays]:
        """uint8 (B, 224, 224, 3) -> memory, state on the device."""
        pixels = torch.from_numpy(np.ascontiguousarray(photos)).to(self.device, non_blocking=True)
        with self._products():
            return self.decoder.start(self.encoder(normalise(pixels)))

    @torch.inference_mode()
    def step(self, tokens: Tensor, memory: Arrays, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
        """tokens int64 (B, K) -> log-probabilities float32 (B, K, V), next state, attention (B, K, R) or None."""
        with self._products():
            log_probs, state, attention = self.decoder.step(tokens, memory, state)
        return log_probs.float(), state, None if attention is None else attention.float()

    def _products(self) -> AbstractContextManager[None]:
        """bf16 has float32's range, so no scaling is needed."""
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()
