"""The state of a distillation run: teacher, student, optimisers and progress."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.swa_utils import AveragedModel

from model.errors import BadData
from model.pytorch.encoders import Encoder
from training.distillation.cached_maps import CachedMaps
from training.distillation.fixed_maps import FixedMaps
from training.distillation.optimisers import Optimisers
from training.distillation.photo_pool import PhotoPool
from training.distillation.recipe import DistilRecipe
from training.distillation.teacher import Teacher
from training.runs import distributed
from training.runs.atomic_file import replacing
from training.runs.distributed import mixed_precision
from training.runs.run_folder import STATE, read_state


@dataclass
class Distillation:
    """What the training loop works with. There is no random state: random numbers depend on the step number only."""

    recipe: DistilRecipe
    device: torch.device
    pool: PhotoPool
    teacher: Teacher
    student: Encoder
    average: AveragedModel  # of the student
    optimisers: Optimisers
    fixed: FixedMaps = field(init=False)  # made once the weights are loaded
    cached: CachedMaps | None = None  # of a run with `cached_views`
    moments: list[Tensor] = field(default_factory=list)  # second moments of the teacher's channels, (C,) of each stage
    step: int = 0  # steps that are done
    seconds: float = 0.0  # training time so far
    curves: list[dict[str, Any]] = field(default_factory=list)

    @property
    def averaged(self) -> Encoder:
        """The student with averaged weights, which is validated and saved."""
        return cast(Encoder, self.average.module)

    def train_mode(self) -> None:
        """Set training mode. Where the recipe says so, batch norms keep their statistics, as in frozen stages."""
        self.student.train(not self.recipe.frozen_norms)
        for stage in student_stages(self.student)[: self.recipe.frozen]:
            stage.eval()

    def done(self) -> float:
        """Share of the run that is over, the same in all processes."""
        if not self.recipe.minutes:
            return min(1.0, self.step / self.recipe.steps)
        return distributed.broadcast_from_main(lambda: min(1.0, self.seconds / 60 / self.recipe.minutes))

    def autocast(self) -> AbstractContextManager:
        """bfloat16 where it is faster on the device, or as the recipe says."""
        return mixed_precision(self.device, self.recipe.bf16)

    def save(self, folder: Path) -> None:
        """Write the state into a run folder."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in ("student", "averaged")}
        state["optimisers"] = self.optimisers.state_dicts()
        state |= {name: getattr(self, name) for name in ("moments", "step", "seconds", "curves")}
        with replacing(folder / STATE) as partial:
            torch.save(state, partial)

    def load(self, folder: Path) -> None:
        """Resume from what `save` wrote. Raises BadData if that is damaged."""
        state = read_state(folder, self.device)
        if missing := {"student", "averaged", "optimisers", "moments", "step", "seconds", "curves"} ^ state.keys():
            raise BadData(f"{folder / STATE}: not the state of a distillation ({min(missing)}); choose another --out")
        for name in ("student", "averaged"):
            getattr(self, name).load_state_dict(state.pop(name))
        self.optimisers.load_state_dicts(state.pop("optimisers"))
        for name, value in state.items():
            setattr(self, name, value)
        self.average.n_averaged.fill_(1 + self.step)


def student_stages(student: Encoder) -> list[nn.Module]:
    """The student's stem and four stages; the stem's weights are those of conv1 and bn1."""
    stem = nn.ModuleList([student.conv1, student.bn1])
    return [stem, student.layer1, student.layer2, student.layer3, student.layer4]


@torch.no_grad()
def fold_norms(student: Encoder) -> None:
    """Fold the batch norms' statistics and gains into the convolutions before them; the network computes the same.

    What remains of a batch norm in evaluation is one gain, 1, and one offset for each channel.
    """
    modules = [*student.modules()]
    for convolution, norm in pairwise(modules):  # torchvision registers each norm right after its convolution
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            folded = fuse_conv_bn_eval(convolution, norm.eval())
            assert folded.bias is not None, "it is the norm's"
            norm.reset_parameters()  # mean 0, variance 1, gain 1
            convolution.weight.copy_(folded.weight)
            norm.bias.copy_(folded.bias)
