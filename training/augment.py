"""Photos changed a little in training: cut, zoomed, mirrored and recoloured, on whichever device they lie.

All that is drawn comes from the NumPy generator handed in, nothing from PyTorch's or Python's global state. So an
epoch's pictures depend on nothing but that generator, and a resumed run sees those that it would have seen.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
SIDE = 224  # pixels
LENGTHS, STRETCH = (0.84 * SIDE, SIDE), 1.18  # of the boxes cut out: at least 70 % of a photo, hardly distorted
STRENGTHS = (0.2, 0.2, 0.1)  # of changes in brightness, contrast, saturation: small, because captions name colours


def vary(photos: Tensor, mirrored: np.ndarray, random: np.random.Generator) -> Tensor:
    """For captioning: uint8 (B, SIDE, SIDE, 3), which to mirror (B,) -> float32, cut a little and recoloured."""
    boxes = random_boxes(len(photos), SIDE, LENGTHS, STRETCH, random)
    return recolour(cut(photos, boxes, mirrored, SIDE), STRENGTHS, random)


def random_boxes(
    count: int, side: int, lengths: tuple[float, float], stretch: float, random: np.random.Generator
) -> np.ndarray:
    """(count, 4): left, top, width, height in pixels of boxes in square photos of `side` pixels.

    The root of a box's area lies in `lengths`; width over height lies between 1 / `stretch` and `stretch`. Corners
    are on whole pixels, so that a box as large as the picture cut out of it gives the very pixels.
    """
    length, ratio = random.uniform(*lengths, count), stretch ** random.uniform(-1, 1, count)
    sizes = np.minimum(np.stack([length * np.sqrt(ratio), length / np.sqrt(ratio)], 1), side)
    corners = np.minimum(np.floor(random.random((count, 2)) * (side - sizes + 1)), side - sizes)
    return np.concatenate([corners, sizes], 1)


def cut(photos: Tensor, boxes: np.ndarray, mirrored: np.ndarray, size: int) -> Tensor:
    """(B, H, W, 3) of 0 to 255, boxes (B, 4), mirrored (B,) bool -> float32 (B, size, size, 3), bilinear."""
    height, width = photos.shape[1:3]
    shares = boxes / [width, height, width, height]
    matrix = np.zeros((len(boxes), 2, 3), np.float32)  # from the picture's coordinates, -1 to 1, to the photo's
    matrix[:, 0, 0] = np.where(mirrored, -shares[:, 2], shares[:, 2])
    matrix[:, 1, 1] = shares[:, 3]
    matrix[:, :, 2] = 2 * shares[:, :2] + shares[:, 2:] - 1
    points = F.affine_grid(torch.from_numpy(matrix).to(photos.device), [len(boxes), 3, size, size], align_corners=False)
    pixels = photos.permute(0, 3, 1, 2).float()
    return F.grid_sample(pixels, points, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)


def recolour(photos: Tensor, strengths: tuple[float, float, float], random: np.random.Generator) -> Tensor:
    """float32 (B, H, W, 3) of 0 to 255 -> the same with other brightness, contrast and saturation.

    Each is multiplied by a number drawn between 1 - strength and 1 + strength. Keep them small where captions name
    colours.
    """
    drawn = 1 + random.uniform(-1, 1, (3, len(photos), 1, 1, 1)) * np.reshape(strengths, (3, 1, 1, 1, 1))
    brightness, contrast, saturation = torch.from_numpy(drawn.astype(np.float32)).to(photos.device)
    grey = (photos * photos.new_tensor(LUMINANCE)).sum(3, keepdim=True)
    mean = grey.mean((1, 2), keepdim=True)
    coloured = grey + (photos - grey) * saturation
    return ((mean + (coloured - mean) * contrast) * brightness).clamp(0, 255)
