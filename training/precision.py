"""Mixed precision: matrix products in bfloat16 where the device is made for them, all else in float32."""

from contextlib import AbstractContextManager

import torch


def has_bf16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster here: on a CPU only with instructions for them, four times where seen."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(False)
    cpu = torch.cpu.get_capabilities()
    return bool(cpu.get("avx512_bf16") or cpu.get("amx_bf16"))


def mixed_precision(device: torch.device, wanted: bool | None = None) -> AbstractContextManager:
    """A context for forward passes; gradients follow it. `wanted` None means where the device is made for it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device) if wanted is None else wanted)
