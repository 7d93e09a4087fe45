"""Data-parallel training in several processes (started by torchrun), and mixed precision.

In a single process the functions for several processes do nothing.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TypeVar, cast

import torch
from torch import distributed
from torch.nn import Parameter

Value = TypeVar("Value")


def setup(device: str) -> torch.device:
    """Join the process group if torchrun started this process, and return its device. device: auto, cpu or cuda."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if "WORLD_SIZE" in os.environ and not distributed.is_initialized():
        # The other processes wait while the main one computes features or validates: hours, on a large data set.
        distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(days=1))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device(device)


def cleanup() -> None:
    """Leave the process group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def world_size() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_main() -> bool:
    """Whether this is the process that validates, prints and writes files."""
    return rank() == 0


def shard(items: list) -> list:
    """This process's share of a batch: every n-th item of n processes."""
    return items[rank() :: world_size()]


def sum_over_processes(value: float) -> float:
    """The sum of a number over all processes."""
    if world_size() == 1:
        return value
    box = torch.tensor(value, dtype=torch.float64, device="cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(box)
    return box.item()


def broadcast_from_main(compute: Callable[[], Value]) -> Value:
    """Compute a value in the main process and return it in all processes, which wait for it."""
    if world_size() == 1:
        return compute()
    box = [compute() if is_main() else None]
    distributed.broadcast_object_list(box)
    return cast(Value, box[0])


def all_reduce_gradients(parameters: Iterable[Parameter]) -> None:
    """Sum gradients over processes. It is the mean, because each loss is divided by the whole batch's word count."""
    if world_size() == 1:
        return
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in trained])
    distributed.all_reduce(flat)
    for parameter, piece in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
        parameter.grad = piece.view_as(parameter)


def has_bf16(device: torch.device) -> bool:
    """Whether matrix products are faster in bfloat16; a CPU needs AVX-512 or AMX instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(False)
    cpu = torch.cpu.get_capabilities()
    return bool(cpu.get("avx512_bf16") or cpu.get("amx_bf16"))


def mixed_precision(device: torch.device, wanted: bool | None = None) -> AbstractContextManager:
    """Autocast to bfloat16; weights and gradients stay float32. wanted: None for where that is faster."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device) if wanted is None else wanted)
