"""Convolutional encoders in PyTorch: from photos to a feature grid, 7 x 7 cells for 224 x 224 pixels.

The networks are torchvision's, without their classifier, and keep torchvision's parameter names, so that torchvision's
published weights, a file with them, and weights distilled by this project are loaded alike.
"""

import importlib.util
from pathlib import Path
from urllib.error import URLError

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from model.config import ENCODERS
from model.errors import MissingWeights, one_line

# Of ImageNet's pixels, on a scale of 0 to 1; torchvision's networks expect photos normalised with them.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalise(photos: torch.Tensor) -> torch.Tensor:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W), channels-last, normalised with ImageNet's mean and deviation."""
    mean, deviation = (photos.new_tensor(values, dtype=torch.float32) for values in (MEAN, DEVIATION))
    return ((photos.float() / 255 - mean) / deviation).permute(0, 3, 1, 2)


class Encoder(nn.Module):
    """A torchvision network up to its last feature map."""

    features: nn.Module  # of VGG and DenseNet; a ResNet has the others instead
    conv1: nn.Module
    bn1: nn.Module
    relu: nn.Module
    maxpool: nn.Module
    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, name: str = "resnet50"):
        super().__init__()
        self.name = name
        self.channels = ENCODERS[name]
        trunk = getattr(torchvision.models, name)(weights=None)
        for child, module in trunk.named_children():
            if child not in ("fc", "classifier", "avgpool"):
                self.add_module(child, module)

    def stages(self, photos: torch.Tensor) -> list[torch.Tensor]:
        """Normalised photos (B, 3, H, W) -> feature maps (B, channels, h, w), of which the last is the feature grid.

        Of a ResNet: the stem (h = H/4) and the four stages (H/4, H/8, H/16, H/32). Of the others: the last map only.
        """
        if self.name == "vgg16":
            return [self.features(photos)]
        if self.name == "densenet201":
            return [F.relu(self.features(photos))]
        maps = [self.stem(photos)]
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps.append(stage(maps[-1]))
        return maps

    def stages_to(self, photos: torch.Tensor, last: int) -> torch.Tensor:
        """The map of a ResNet's stage `last`, without computing those after it; the stages count from 1."""
        maps = self.stem(photos)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4)[:last]:
            maps = stage(maps)
        return maps

    def stem(self, photos: torch.Tensor) -> torch.Tensor:
        """Normalised photos (B, 3, H, W) -> (B, 64, H/4, W/4), the input of a ResNet's stages."""
        return self.maxpool(self.relu(self.bn1(self.conv1(photos))))

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Normalised photos (B, 3, H, W) -> feature grid (B, h * w, channels), cells row by row."""
        return self.stages(photos)[-1].flatten(2).transpose(1, 2)


def pretrained(name: str) -> Encoder:
    """The encoder with torchvision's published ImageNet weights, from its cache or downloaded.

    Raises:
        MissingWeights: they cannot be downloaded; the message says where to put the file.
    """
    weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]
    file = Path(torch.hub.get_dir(), "checkpoints", weights.url.rsplit("/", 1)[-1])
    try:
        state = weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError) as error:
        raise MissingWeights(
            f"cannot download the weights of {name} ({error}); fetch {weights.url} elsewhere and put it at {file}"
        ) from None
    return _filled(name, state, str(file))


def from_file(name: str, path: Path) -> Encoder:
    """The encoder with weights from a safetensors file or a PyTorch state dictionary (.pt, .pth).

    Raises:
        MissingWeights: there is no such file, or it does not hold the weights of this network.
    """
    if not path.is_file():
        raise MissingWeights(f"no encoder weights at {path}; give a .safetensors or .pth file")
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is no pickle may raise anything
        raise MissingWeights(f"{path}: not a file of weights ({one_line(error)})") from None
    return _filled(name, state, str(path))


def from_module(path: Path) -> nn.Module:
    """A teacher network from a Python file: the result of its function `load_teacher()`, which gives feature maps.

    The file is executed, so only files that you trust may be named.

    Raises:
        MissingWeights: there is no such file or no such function.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise MissingWeights(f"no teacher at {path}; give a Python file that defines load_teacher()")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "load_teacher"):
        raise MissingWeights(f"{path} has no function load_teacher(), which gives the network")
    return module.load_teacher().eval().requires_grad_(False)


def _filled(name: str, state: dict[str, torch.Tensor], source: str) -> Encoder:
    """The encoder with these weights, without drawing random ones first, which would take half a second."""
    with torch.device("meta"):
        encoder = Encoder(name)
    encoder.to_empty(device="cpu")
    for buffer, value in encoder.named_buffers():
        if buffer.endswith("num_batches_tracked"):  # files need not have it, and inference does not use it
            value.zero_()
    kept = {key: value.float() for key, value in state.items() if not key.startswith(("fc.", "classifier."))}
    try:
        missing, unexpected = encoder.load_state_dict(kept, strict=False)
    except RuntimeError as error:  # of shapes
        raise MissingWeights(f"{source} does not hold a {name} ({one_line(error)})") from None
    wrong = [key for key in missing if not key.endswith("num_batches_tracked")] + list(unexpected)
    if wrong:
        raise MissingWeights(f"{source} does not hold a {name}: {len(wrong)} names differ, first {wrong[0]}")
    return encoder.eval()
