"""The encoder in PyTorch as it serves: batch norms folded into convolutions, channels-last, in half precision on a GPU.

grid = ServingEncoder(encoder, torch.device("cuda"), torch.float16)(pixels)
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.encoders import DEVIATION, MEAN, Encoder


class ServingEncoder:
    """Calls give what Encoder gives, up to rounding, as float32. A ResNet is folded, other networks run as they are."""

    def __init__(self, encoder: Encoder, device: torch.device, dtype: torch.dtype):
        """The encoder, in float32, is changed and becomes this one's."""
        self.dtype = dtype
        self.folded = encoder.name.startswith("resnet")
        if self.folded:
            fold(encoder)
        encoder.eval().requires_grad_(False).to(device, dtype).to(memory_format=torch.channels_last)
        self.encoder = encoder
        # (pixel / 255 - mean) / deviation = pixel * scale - shift
        self._scale = 1 / (255 * torch.tensor(DEVIATION, device=device))
        self._shift = torch.tensor(MEAN, device=device) / torch.tensor(DEVIATION, device=device)
        self.fused = device.type == "cuda" and _fused_is_right(device, dtype)

    def __call__(self, pixels: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) on the device -> grid float32 (B, h * w, channels)."""
        photos = (pixels * self._scale).sub_(self._shift).to(self.dtype).permute(0, 3, 1, 2)
        if not self.folded:
            return self.encoder(photos).float()
        x = self.encoder.maxpool(self._conv(photos, self.encoder.conv1))
        for stage in (self.encoder.layer1, self.encoder.layer2, self.encoder.layer3, self.encoder.layer4):
            for block in stage.children():
                x = self._block(x, block)
        return x.flatten(2).transpose(1, 2).float()

    def _block(self, x: Tensor, block: Any) -> Tensor:
        """A torchvision Bottleneck whose batch norms are gone."""
        short = x if block.downsample is None else block.downsample(x)
        return self._conv(self._conv(self._conv(x, block.conv1), block.conv2), block.conv3, short)

    def _conv(self, x: Tensor, conv: Any, short: Tensor | None = None) -> Tensor:
        """relu(conv(x) + short)."""
        return _fused(x, conv, short) if self.fused else _plain(x, conv, short)


def fold(network: nn.Module) -> None:
    """Batch norms of a torchvision ResNet in evaluation become part of the convolutions before them, in float32."""
    for module in [*network.modules()]:
        children = dict(module.named_children())
        for name, conv in children.items():
            # conv2 and bn2 of a block, or 0 and 1 of the sequence that makes its short cut
            after = f"bn{name.removeprefix('conv')}" if name.startswith("conv") else "1"
            norm = children.get(after)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(conv.eval(), norm.eval()))
                setattr(module, after, nn.Identity())


def _plain(x: Tensor, conv: Any, short: Tensor | None) -> Tensor:
    y = conv(x)
    return F.relu_(y if short is None else y.add_(short))


def _fused(x: Tensor, conv: Any, short: Tensor | None) -> Tensor:
    """One kernel of cuDNN: the sum and the ReLU cost no further way through memory."""
    geometry = conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
    if short is None:
        return torch.cudnn_convolution_relu(x, conv.weight, *geometry)
    return torch.cudnn_convolution_add_relu(x, conv.weight, short, 1.0, *geometry)


def _fused_is_right(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this cuDNN has those kernels for this card and precision, and they say what the plain ones say."""
    conv: Any = nn.Conv2d(64, 64, 3, padding=1).requires_grad_(False)
    conv = conv.to(device, dtype, memory_format=torch.channels_last)
    x = torch.rand(2, 64, 14, 14, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    try:
        return all(
            torch.allclose(_fused(x, conv, short).float(), _plain(x, conv, short).float(), atol=0.05, rtol=0.05)
            for short in (None, x)
        )
    except RuntimeError:
        return False
