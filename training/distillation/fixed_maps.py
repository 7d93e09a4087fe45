"""What no step of a run changes: the maps of the student's frozen stages and those of the teacher.

On a CPU OpenVINO computes them, two to three times as fast as PyTorch, where it can run the teacher.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.errors import one_line
from model.pytorch.encoders import Encoder
from training.distillation.teacher import Teacher
from training.features.fast_inference import compile_for_cpu
from training.runs.distributed import mixed_precision

FixedMaps = Callable[[Tensor], tuple[Tensor, list[Tensor]]]


class _Maps(nn.Module):
    def __init__(self, student: Encoder, teacher: Teacher, frozen: int):
        super().__init__()
        self.student, self.teacher, self.maps, self.frozen = student, teacher.network, teacher.maps, frozen

    def forward(self, views: Tensor) -> list[Tensor]:
        before = [self.student.stages_to(views, self.frozen - 1)] if self.frozen else []
        return [*before, *self.maps(views)[self.frozen :]]


def fixed_maps(
    student: Encoder,
    teacher: Teacher,
    frozen: int,
    device: torch.device,
    *,
    bf16: bool | None,
    echo: Callable[[str], None],
) -> FixedMaps:
    """Make the function that computes these maps.

    Args:
        frozen: how many of the student's stem and four stages are not trained.
        bf16: see `mixed_precision`.
        echo: is told if OpenVINO cannot run the networks.

    Returns:
        A function from normalised views (B, 3, H, W) to the input of the student's first trained stage, and the
        teacher's maps of this stage and those after it.
    """
    network = _Maps(student, teacher, frozen).eval()
    if device.type == "cpu":
        try:
            fast = compile_for_cpu(network, torch.zeros(1, 3, 64, 64), bf16=bf16)
        except Exception as error:  # a teacher is anyone's code: what OpenVINO says about it may be anything
            echo(f"PyTorch runs the teacher, which is slower: OpenVINO cannot ({one_line(error)})")
        else:
            return lambda views: _split(views, [torch.from_numpy(maps) for maps in fast(views.numpy())], frozen)

    @torch.no_grad()
    def compute(views: Tensor) -> tuple[Tensor, list[Tensor]]:
        with mixed_precision(device, bf16):
            return _split(views, network(views), frozen)

    return compute


def _split(views: Tensor, maps: list[Tensor], frozen: int) -> tuple[Tensor, list[Tensor]]:
    return (maps[0], maps[1:]) if frozen else (views, maps)
