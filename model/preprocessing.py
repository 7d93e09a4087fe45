"""From an image file to the encoder's input: a square of RGB pixels. Training and serving share this code."""

from pathlib import Path

import numpy as np
from PIL import Image

from model.errors import FileTooLarge, UnreadablePhoto
from model.images.image_file import MAX_PIXELS, decode_image, on_white

__all__ = ["MAX_PIXELS", "read_photo", "read_photo_file"]


def read_photo(data: bytes, *, size: int = 224, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image, turn it upright and squash it to a square, as in training.

    Args:
        data: the file; see image_file.py for what is accepted.
        size: pixels per side.
        max_pixels: of the image, before it is resized.

    Returns:
        RGB uint8 (size, size, 3); what is transparent is white.

    Raises:
        UnreadablePhoto: the message is one line that says why.
    """
    # Twice the size: resizing needs some pixels to average.
    with decode_image(data, draft=2 * size, max_pixels=max_pixels) as decoded:
        image = decoded.upright(decoded.pixels)
        if image.size != (size, size):
            image = image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3)
        return np.array(image if image.mode == "RGB" else on_white(image))


def read_photo_file(
    path: Path, *, size: int = 224, max_bytes: float = float("inf"), max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """`read_photo` of a file; every error message begins with its path."""
    try:
        if (bytes := path.stat().st_size) > max_bytes:
            raise FileTooLarge(bytes, max_bytes)
        return read_photo(path.read_bytes(), size=size, max_pixels=max_pixels)
    except UnreadablePhoto as error:
        raise UnreadablePhoto(f"{path}: {error}") from None
    except OSError as error:
        raise UnreadablePhoto(f"{path}: {error.strerror or error}") from None
