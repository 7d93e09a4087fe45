"""Open image files from strangers: which formats are accepted, how large they may be, what their pixels are.

The upload check of the chat platforms and the web page, the command line, the workers and training all read images
here, so that they accept and refuse the same files. Damage or data beside the pixels refuses no picture, and a picture
whose last rows are missing is one as long as most of it is there. Sizes are checked from the header, before anything is
decoded. The limits are arguments, because one process may serve uploads and read photos of its own. Needs only Pillow
and pillow-heif, so that the front-ends can import it without the rest of the model.
"""

import io
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from math import inf, prod

import pillow_heif
from PIL import Image, ImageFile, UnidentifiedImageError

from model.errors import (
    BrokenImage,
    EmptyFile,
    FileTooLarge,
    NoImage,
    OtherFormat,
    TooManyPixels,
    UnreadablePhoto,
)
from model.images.animation import MOST
from model.images.decode_pixels import decode_pixels
from model.images.decoding_room import DECODING
from model.images.gif_frames import frame_sizes
from model.images.heif_sizes import decoded_pixels
from model.images.jpeg_segments import jpeg_picture
from model.images.memory import return_large_blocks
from model.images.picture_bytes import PictureBytes, TooManyParts, read_orientation
from model.images.pixel_modes import on_white
from model.images.png_chunks import png_picture
from model.images.webp_chunks import webp_picture

__all__ = [
    "MAX_PIXELS",
    "BrokenImage",
    "DecodedImage",
    "EmptyFile",
    "FileTooLarge",
    "NoImage",
    "OtherFormat",
    "TooManyPixels",
    "UnreadablePhoto",
    "decode_image",
    "on_white",
]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
SUFFIXES = frozenset(  # of the names of picture files, for those who see no content yet
    ".jpg .jpeg .jpe .jfif .png .apng .webp .gif .heic .heif .hif .avif .bmp .tif .tiff".split()
)
SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|....ftyp(hei|hev|mif|msf|avi)", re.DOTALL)
ICON = b"\0\0\1\0"
# Not opened to be named: an icon is decoded while Pillow opens it, and of a TIFF what says its size may be at its end.
NAMED = re.compile(re.escape(ICON) + rb"|II[*+]\0|MM\0[*+]")
HEAD = 4096  # bytes of a file of another format, in which Pillow looks for its name
MAX_PIXELS = 50_000_000
STREAMS = 2  # with the most pixels that there may be in one AVIF: colours and transparency
SCANS = 100  # of a JPEG; cameras write one, progressive files about ten, and each may take a second to decode
UPRIGHT = {  # orientation -> how to turn the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

pillow_heif.register_heif_opener()
return_large_blocks()
# Pillow has one limit for the whole process and refuses twice as much. It is set here, once and for all, to more than
# any limit that is passed to `decode_image`, and only guards what Pillow itself may allocate while it opens a file.
Image.MAX_IMAGE_PIXELS = 2**29
warnings.filterwarnings("ignore", module=r"PIL\.")  # the sender of a file cannot act on odd metadata


@dataclass(frozen=True)
class DecodedImage:
    """An image as its file stores it, and how to turn it upright."""

    pixels: Image.Image  # mode L or RGB; RGBA if something is transparent
    turn: Image.Transpose | None  # None: it is upright

    def upright(self, pixels: Image.Image) -> Image.Image:
        """`self.pixels`, or a smaller version of it, turned upright."""
        return pixels if self.turn is None else pixels.transpose(self.turn)


@contextmanager
def decode_image(
    data: bytes, *, draft: int, max_bytes: float = inf, max_pixels: int = MAX_PIXELS
) -> Iterator[DecodedImage]:
    """Decode an image whose content, not its name, is JPEG, PNG, WebP, GIF, HEIC or AVIF.

    16-bit grey is scaled to 8 bits. Of an animation a frame is taken that shows something, see animation.py.
    Waits for room for the pixels, and holds it for as long as the context does: see decoding_room.py.

    Args:
        data: the file.
        draft: pixels. A large JPEG is decoded at a half, a quarter or an eighth of its size as long as both sides keep
            this length, which is much faster.
        max_bytes: of the file.
        max_pixels: of the image, and of each frame.

    Raises:
        UnreadablePhoto: EmptyFile, NoImage, OtherFormat, BrokenImage, FileTooLarge or TooManyPixels.
    """
    if not data:
        raise EmptyFile
    if len(data) > max_bytes:
        raise FileTooLarge(len(data), max_bytes)
    sizes = _fitting_gif_frames(data, max_pixels) if data.startswith(b"GIF8") else []
    picture = _needed(data)
    opened = partial(_open, max_pixels=max_pixels)
    pixels = prod(sizes[-1] if sizes else opened(picture.data).size)
    frames = len(sizes) if data.startswith(b"GIF8") else MOST
    if data[4:8] == b"ftyp":  # HEIC or AVIF
        largest, together = _fitting_streams(data, max_pixels)
        pixels, frames = max(pixels, together), min(MOST, max_pixels // max(1, largest))
    with DECODING.take(pixels):
        image = opened(picture.data)
        try:
            decoded = decode_pixels(picture, opened, draft=draft, frames=frames, max_pixels=max_pixels)
        except Exception as error:  # a decoder raises anything at damaged data: OSError, struct.error ...
            raise BrokenImage(error, image.format) from None
        yield DecodedImage(decoded, UPRIGHT.get(read_orientation(picture.metadata or image.info)))


def _needed(data: bytes) -> PictureBytes:
    """The file without what is not needed to decode its picture."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            picture = jpeg_picture(data, SCANS)
            if not 0 < picture.scans <= SCANS:
                raise BrokenImage("it has too many scans" if picture.scans else "it has no scan", "JPEG")
            return picture
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return png_picture(data)
        return webp_picture(data) if data.startswith(b"RIFF") and data[8:12] == b"WEBP" else PictureBytes(data)
    except (IndexError, struct.error) as error:
        raise BrokenImage(error) from None
    except TooManyParts:
        raise BrokenImage("it has too many parts") from None


def _open(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Read the header; nothing is decoded yet."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if SIGNATURE.match(data):
            raise BrokenImage("its header cannot be read") from None
        format = _other_format(data)
        raise (OtherFormat(format) if format else NoImage()) from None
    except Image.DecompressionBombError as error:  # over Pillow's limit
        number = re.search(r"(\d+) pixels", str(error))
        raise TooManyPixels(int(number[1]) if number else 2 * (Image.MAX_IMAGE_PIXELS or 0), max_pixels) from None
    except Exception as error:
        raise BrokenImage(error) from None
    _check_size(image.size, max_pixels)
    return image


def _other_format(data: bytes) -> str | None:
    """Name of a format that Pillow knows and that is not accepted here, by the first kilobytes of a file.

    Some of Pillow's readers go through all of a file line by line, which takes seconds.
    """
    if named := NAMED.match(data):
        return "ICO" if named[0] == ICON else "TIFF"
    Image.init()
    others = [format for format in Image.ID if format not in (*FORMATS, "ICO")]
    try:
        return Image.open(io.BytesIO(data[:HEAD]), formats=others).format
    except Exception:
        return None


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    if (pixels := size[0] * size[1]) > max_pixels:
        raise TooManyPixels(pixels, max_pixels, size)


def _fitting_gif_frames(data: bytes, max_pixels: int) -> list[tuple[int, int]]:
    """Sizes of the first frames, up to one that has too many pixels. Raises TooManyPixels if the first has too many."""
    try:
        sizes = [*islice(frame_sizes(data), MOST)]
    except Exception as error:
        raise BrokenImage(error, "GIF") from None
    if sizes:
        _check_size(sizes[0], max_pixels)
    return [*takewhile(lambda size: size[0] * size[1] <= max_pixels, sizes)]


def _fitting_streams(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Pixels of the largest picture in a HEIC or AVIF, and of all that may be decoded at once.

    Raises BrokenImage, TooManyPixels.
    """
    try:
        largest, together = decoded_pixels(data)
    except Exception as error:
        raise BrokenImage(error) from None
    if largest > max_pixels or together > STREAMS * max_pixels:
        raise TooManyPixels(max(largest, together), max_pixels)
    return largest, max(largest, together)
