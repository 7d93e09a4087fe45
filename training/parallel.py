"""Several processes train as one (started by torchrun); alone, every function here is a no-op."""

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TypeVar, cast

import torch
from torch import distributed
from torch.nn import Parameter

Made = TypeVar("Made")


def begin(device: str) -> torch.device:
    """Join the others, if torchrun started us, and choose this process's device: auto, cpu or cuda."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if "WORLD_SIZE" in os.environ and not distributed.is_initialized():
        # The others wait while the main process computes features or validates: hours, on a large data set.
        distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(days=1))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device(device)


def end() -> None:
    """Leave the group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_main() -> bool:
    """Whether this process is the one that validates, prints and writes."""
    return rank() == 0


def share(items: list) -> list:
    """This process's part of a batch: every `world`-th item."""
    return items[rank() :: world()]


def total(value: float) -> float:
    """The sum of a number over all processes."""
    if world() == 1:
        return value
    box = torch.tensor(value, dtype=torch.float64, device="cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(box)
    return box.item()


def from_main(make: Callable[[], Made]) -> Made:
    """What the main process alone makes, on all of them; they wait for it."""
    if world() == 1:
        return make()
    box = [make() if is_main() else None]
    distributed.broadcast_object_list(box)
    return cast(Made, box[0])


def add_gradients(parameters: Iterable[Parameter]) -> None:
    """Sum gradients over processes. Losses are divided by the whole batch's count before, so the sum is the mean."""
    if world() == 1:
        return
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in trained])
    distributed.all_reduce(flat)
    for parameter, piece in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
        parameter.grad = piece.view_as(parameter)
