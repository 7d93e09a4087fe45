"""The teacher of a distillation: its feature maps, and the classifier on top of them where it has one."""

from dataclasses import dataclass

import torchvision
from torch import Tensor, nn

from model.errors import BadRecipe
from model.pytorch.encoders import Encoder
from training.distillation.losses import StageMaps
from training.features.encoder_weights import load_encoder


@dataclass(frozen=True)
class Teacher:
    network: nn.Module
    maps: StageMaps
    classifier: nn.Module | None  # pooled (B, 2048) -> class logits; None if the recipe has no `classes`

    def logits(self, last_map: Tensor) -> Tensor:
        """Class logits (B, classes) from a last map (B, 2048, h, w), the teacher's own or a student's."""
        return self._classify(last_map.float().mean((2, 3)))

    def cell_logits(self, last_map: Tensor) -> Tensor:
        """Class logits (B * h * w, classes) of each cell of a last map (B, 2048, h, w)."""
        return self._classify(last_map.flatten(2).transpose(1, 2).flatten(0, 1))

    def _classify(self, vectors: Tensor) -> Tensor:
        assert self.classifier is not None, "asked for only when the recipe wants classes"
        return self.classifier(vectors)


def load_teacher(source: str, classes: bool) -> Teacher:
    """Load a teacher.

    Args:
        source: see `load_encoder`.
        classes: whether its classifier is needed.

    Raises:
        MissingWeights: a file is missing; the message says what to put where.
        BadRecipe: the teacher has no classifier.
    """
    network = load_encoder("resnet50", source).requires_grad_(False)
    maps = network.stages if isinstance(network, Encoder) else network
    return Teacher(network, maps, _classifier(source, network) if classes else None)


def _classifier(source: str, network: nn.Module) -> nn.Module:
    if source == "imagenet":  # an Encoder has no classifier, so it is read from torchvision's file
        state = torchvision.models.get_model_weights("resnet50")["IMAGENET1K_V1"].get_state_dict(check_hash=True)
        layer = nn.Linear(*reversed(state["fc.weight"].shape))
        layer.load_state_dict({"weight": state["fc.weight"], "bias": state["fc.bias"]})
        return layer.requires_grad_(False)
    classifier = getattr(network, "fc", None)
    if not isinstance(classifier, nn.Module):
        raise BadRecipe(f"{source} has no classifier `fc`; set classes=0, or take a teacher that has one")
    return classifier
