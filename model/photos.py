"""From a file's bytes to the square of pixels that the encoder sees. Training and serving share this code."""

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import UnreadablePhoto

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF", "BMP", "TIFF", "MPO")  # MPO: the JPEGs of some phones
MAX_PIXELS = 50_000_000


def read_photo(data: bytes, *, size: int = 224, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """RGB uint8 (size, size, 3). The photo is squashed to a square, as the training photos are.

    What counts is the content, not a file name. EXIF orientation is applied, transparency becomes white, of an
    animation the first frame is taken. Raises UnreadablePhoto, one line, when there is no photo to be had.
    """
    if not data:
        raise UnreadablePhoto("the file is empty (0 bytes)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large and of oddly tagged pictures; our own limit decides
        image = _open(data)
        width, height = image.size
        if width * height > max_pixels:
            raise UnreadablePhoto(
                f"the picture is too large: {width} x {height} is {width * height / 1e6:.0f} million pixels, "
                f"the limit is {max_pixels / 1e6:.0f} million"
            )
        try:
            image.draft("RGB", (2 * size, 2 * size))  # a large JPEG is decoded at a half, quarter or eighth
            image.load()
            image = ImageOps.exif_transpose(image)
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError) as error:
            raise UnreadablePhoto(f"the {image.format} picture is broken or cut short ({_line(error)})") from None
    image = _rgb(image)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.uint8)


def read_photo_file(path: Path, *, size: int = 224, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_photo` of a file; errors begin with its path."""
    try:
        return read_photo(path.read_bytes(), size=size, max_pixels=max_pixels)
    except UnreadablePhoto as error:
        raise UnreadablePhoto(f"{path}: {error}") from None
    except OSError as error:
        raise UnreadablePhoto(f"{path}: {error.strerror or _line(error)}") from None


def _open(data: bytes) -> Image.Image:
    """Read the header only; nothing is decoded yet."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise UnreadablePhoto("this is not a picture (JPEG, PNG, WebP, GIF, HEIC and AVIF work)") from None
    except Image.DecompressionBombError as error:
        raise UnreadablePhoto(f"the picture is too large ({_line(error)})") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadablePhoto(f"the picture is broken or cut short ({_line(error)})") from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 bits or more a pixel: Pillow would clip, not scale
        values = np.asarray(image, dtype=np.float32)
        top = 65535 if image.mode.startswith("I;16") or values.max() > 255 else 255
        image = Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _line(error: Exception) -> str:
    """The error's text on one line."""
    return " ".join(str(error).split()) or type(error).__name__
