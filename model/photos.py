"""From a file's bytes to the square of pixels that the encoder sees. Training and serving share this code."""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import UnreadablePhoto

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
SIGNATURES = re.compile(rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|....ftyp(hei|hev|mif|msf|avi)", re.DOTALL)
MAX_PIXELS = 50_000_000

# `read_photo` looks at the size itself, before anything is decoded, and says it. Pillow's own check stays for what it
# makes room for on opening, a GIF's frame larger than its header says: a gigabyte at most.
MOST_ON_OPENING = 2**29  # pixels; Pillow refuses twice as many

pillow_heif.register_heif_opener()
# Odd tags in a file are nothing that its sender could act on.
warnings.filterwarnings("ignore", module=r"PIL\.")


def read_photo(data: bytes, *, size: int = 224, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """RGB uint8 (size, size, 3). The photo is squashed to a square, as the training photos are.

    The content counts, not a file's name. EXIF orientation is applied, what is transparent becomes white, of an
    animation the first frame is taken. Raises UnreadablePhoto, one line, when there is no photo to be had.
    """
    if not data:
        raise UnreadablePhoto("the file is empty (0 bytes)")
    image = _open(data)
    width, height = image.size
    if width * height > max_pixels:
        raise UnreadablePhoto(
            f"the picture is too large: {width} x {height} pixels are {width * height / 1e6:.1f} million, "
            f"the limit is {max_pixels / 1e6:.1f} million"
        )
    try:
        # A large JPEG is decoded at a half, a quarter or an eighth: much faster, and still twice the size wanted.
        image.draft("RGB", (2 * size, 2 * size))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _square(image, size)
    except Exception as error:  # a decoder that meets damaged data raises whatever it likes: OSError, struct.error ...
        raise UnreadablePhoto(f"the {image.format} picture is broken or cut short ({_line(error)})") from None


def read_photo_file(path: Path, *, size: int = 224, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_photo` of a file; every error begins with its path."""
    try:
        return read_photo(path.read_bytes(), size=size, max_pixels=max_pixels)
    except UnreadablePhoto as error:
        raise UnreadablePhoto(f"{path}: {error}") from None
    except OSError as error:
        raise UnreadablePhoto(f"{path}: {error.strerror or _line(error)}") from None


def _open(data: bytes) -> Image.Image:
    """Read the header; nothing is decoded yet."""
    Image.MAX_IMAGE_PIXELS = MOST_ON_OPENING  # here, because there is one for the whole process
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if SIGNATURES.match(data):
            raise UnreadablePhoto("the picture is broken or cut short (its header cannot be read)") from None
        kind = _other_format(data)
        what = f"{kind} pictures are not supported" if kind else "this is not a picture"
        raise UnreadablePhoto(f"{what}; JPEG, PNG, WebP, GIF, HEIC and AVIF work") from None
    except Image.DecompressionBombError as error:
        raise UnreadablePhoto(f"the picture is too large ({_line(error)})") from None
    except Exception as error:
        raise UnreadablePhoto(f"the picture is broken or cut short ({_line(error)})") from None


def _other_format(data: bytes) -> str | None:
    """Name of a format that Pillow knows and we do not take."""
    try:
        return Image.open(io.BytesIO(data)).format
    except Exception:
        return None


def _square(image: Image.Image, size: int) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it, not scale it
        image = Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).astype(np.uint8))
    transparent = image.has_transparency_data
    mode = "RGBA" if transparent else "RGB"
    if image.mode != mode:  # what is so already would be copied
        image = image.convert(mode)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3)
    if transparent:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.array(image)


def _line(error: Exception) -> str:
    """The error's text on one line."""
    return " ".join(str(error).split()) or type(error).__name__
