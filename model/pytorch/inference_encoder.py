"""The encoder for inference: batch norms folded into convolutions, channels-last, in half precision on a GPU.

grid = InferenceEncoder(encoder, torch.device("cuda"), torch.float16)(pixels)
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.pytorch.encoders import DEVIATION, MEAN, Encoder


class InferenceEncoder:
    """Gives the same as Encoder, up to rounding, in float32. A ResNet is folded; other networks run as they are."""

    def __init__(self, encoder: Encoder, device: torch.device, dtype: torch.dtype):
        """Takes over the encoder, in float32, and changes it."""
        self.dtype = dtype
        self.folded = encoder.name.startswith("resnet")
        if self.folded:
            fold(encoder)
        encoder.eval().requires_grad_(False).to(device, dtype).to(memory_format=torch.channels_last)
        self.encoder = encoder
        # (pixel / 255 - mean) / deviation = pixel * scale - shift
        self._scale = 1 / (255 * torch.tensor(DEVIATION, device=device))
        self._shift = torch.tensor(MEAN, device=device) / torch.tensor(DEVIATION, device=device)
        self.fused = device.type == "cuda" and _fused_works(device, dtype)

    def __call__(self, pixels: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) on the device -> feature grid float32 (B, h * w, channels)."""
        photos = (pixels * self._scale).sub_(self._shift).to(self.dtype).permute(0, 3, 1, 2)
        if not self.folded:
            return self.encoder(photos).float()
        x = self.encoder.maxpool(self._conv(photos, self.encoder.conv1))
        for stage in (self.encoder.layer1, self.encoder.layer2, self.encoder.layer3, self.encoder.layer4):
            for block in stage.children():
                x = self._block(x, block)
        return x.flatten(2).transpose(1, 2).float()

    def _block(self, x: Tensor, block: Any) -> Tensor:
        """A torchvision Bottleneck whose batch norms are folded."""
        shortcut = x if block.downsample is None else block.downsample(x)
        return self._conv(self._conv(self._conv(x, block.conv1), block.conv2), block.conv3, shortcut)

    def _conv(self, x: Tensor, conv: Any, shortcut: Tensor | None = None) -> Tensor:
        """relu(conv(x) + shortcut)."""
        return _fused(x, conv, shortcut) if self.fused else _plain(x, conv, shortcut)


def fold(network: nn.Module) -> None:
    """Fold the batch norms of a torchvision ResNet, which has been trained, into the convolutions before them."""
    for module in [*network.modules()]:
        children = dict(module.named_children())
        for name, conv in children.items():
            # conv2 and bn2 of a block, or 0 and 1 of the sequence that is its shortcut
            after = f"bn{name.removeprefix('conv')}" if name.startswith("conv") else "1"
            norm = children.get(after)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(conv.eval(), norm.eval()))
                setattr(module, after, nn.Identity())


def _plain(x: Tensor, conv: Any, shortcut: Tensor | None) -> Tensor:
    """relu(conv(x) + shortcut)."""
    y = conv(x)
    return F.relu_(y if shortcut is None else y.add_(shortcut))


def _fused(x: Tensor, conv: Any, shortcut: Tensor | None) -> Tensor:
    """The same in one kernel of cuDNN: sum and ReLU do not go through memory again."""
    geometry = conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
    if shortcut is None:
        return torch.cudnn_convolution_relu(x, conv.weight, *geometry)
    return torch.cudnn_convolution_add_relu(x, conv.weight, shortcut, 1.0, *geometry)


def _fused_works(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether cuDNN has these kernels for this GPU and precision, and their results agree with the plain ones."""
    conv: Any = nn.Conv2d(64, 64, 3, padding=1).requires_grad_(False)
    conv = conv.to(device, dtype, memory_format=torch.channels_last)
    x = torch.rand(2, 64, 14, 14, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    try:
        return all(
            torch.allclose(_fused(x, conv, shortcut).float(), _plain(x, conv, shortcut).float(), atol=0.05, rtol=0.05)
            for shortcut in (None, x)
        )
    except RuntimeError:
        return False
