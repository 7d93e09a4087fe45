"""What a PyTorch device is called, how long work on it takes, and how much of its memory was in use."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

REPEATS = 5


def device_name(device: torch.device) -> str:
    """The model of a GPU, or the number of threads of a CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def seconds(work: Callable[[], Any], device: torch.device, repeats: int = REPEATS) -> float:
    """Median time of a few runs, after one run that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        _synchronize(device)
        begin = time.perf_counter()
        work()
        _synchronize(device)
        taken.append(time.perf_counter() - begin)
    return median(taken[1:])


def reset_peak_memory(device: torch.device) -> None:
    """Start the measurement that `peak_memory` reads."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int | None:
    """The most bytes of GPU memory that tensors occupied since `reset_peak_memory`; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def _synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished what was launched on it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
