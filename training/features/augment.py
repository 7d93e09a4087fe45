"""Data augmentation: random crops, flips and colour jitter, computed on the photos' device.

All random numbers come from the NumPy generator that is passed in, none from global state. So a resumed run sees the
same pictures as one that was not interrupted.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
SIDE = 224  # pixels
# of crops: at least 70 % of a photo, hardly distorted
LENGTHS, STRETCH = (0.84 * SIDE, SIDE), 1.18
STRENGTHS = (0.2, 0.2, 0.1)  # of brightness, contrast and saturation: small, because captions name colours


def augment(photos: Tensor, mirrored: np.ndarray, random: np.random.Generator) -> Tensor:
    """Augment photos for captioning.

    Args:
        photos: uint8 (B, SIDE, SIDE, 3).
        mirrored: which of them to mirror, bool (B,).

    Returns:
        float32 (B, SIDE, SIDE, 3), 0 to 255.
    """
    boxes = random_boxes(len(photos), SIDE, LENGTHS, STRETCH, random)
    return colour_jitter(crop_and_resize(photos, boxes, mirrored, SIDE), STRENGTHS, random)


def random_boxes(
    count: int, side: int, lengths: tuple[float, float], stretch: float, random: np.random.Generator
) -> np.ndarray:
    """Draw crops of square photos.

    Corners are at whole pixels, so that a crop of the size of the output keeps the pixels as they are.

    Args:
        side: of the photos, in pixels.
        lengths: range of the square root of a crop's area, in pixels.
        stretch: the aspect ratio is drawn between 1 / `stretch` and `stretch`.

    Returns:
        (count, 4): left, top, width and height in pixels.
    """
    length, ratio = random.uniform(*lengths, count), stretch ** random.uniform(-1, 1, count)
    sizes = np.minimum(np.stack([length * np.sqrt(ratio), length / np.sqrt(ratio)], 1), side)
    corners = np.minimum(np.floor(random.random((count, 2)) * (side - sizes + 1)), side - sizes)
    return np.concatenate([corners, sizes], 1)


def crop_and_resize(photos: Tensor, boxes: np.ndarray, mirrored: np.ndarray, size: int) -> Tensor:
    """Cut out a box of each photo, resize it bilinearly, and mirror some.

    Args:
        photos: (B, H, W, 3), 0 to 255.
        boxes: (B, 4), from `random_boxes`.
        mirrored: which of them to mirror, bool (B,).
        size: of the output, in pixels.

    Returns:
        float32 (B, size, size, 3), 0 to 255.
    """
    height, width = photos.shape[1:3]
    shares = boxes / [width, height, width, height]
    matrix = np.zeros(
        (len(boxes), 2, 3), np.float32
    )  # affine maps from coordinates in the output, -1 to 1, to those in the photo
    matrix[:, 0, 0] = np.where(mirrored, -shares[:, 2], shares[:, 2])
    matrix[:, 1, 1] = shares[:, 3]
    matrix[:, :, 2] = 2 * shares[:, :2] + shares[:, 2:] - 1
    points = F.affine_grid(torch.from_numpy(matrix).to(photos.device), [len(boxes), 3, size, size], align_corners=False)
    pixels = photos.permute(0, 3, 1, 2).float()
    return F.grid_sample(pixels, points, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)


def colour_jitter(photos: Tensor, strengths: tuple[float, float, float], random: np.random.Generator) -> Tensor:
    """Change brightness, contrast and saturation of photos, float32 (B, H, W, 3), 0 to 255.

    Args:
        strengths: of each, s: it is multiplied by a number drawn between 1 - s and 1 + s.
    """
    drawn = 1 + random.uniform(-1, 1, (3, len(photos), 1, 1, 1)) * np.reshape(strengths, (3, 1, 1, 1, 1))
    brightness, contrast, saturation = torch.from_numpy(drawn.astype(np.float32)).to(photos.device)
    grey = (photos * photos.new_tensor(LUMINANCE)).sum(3, keepdim=True)
    mean = grey.mean((1, 2), keepdim=True)
    coloured = grey + (photos - grey) * saturation
    return ((mean + (coloured - mean) * contrast) * brightness).clamp(0, 255)
