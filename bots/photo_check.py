"""From an uploaded file to the photo that is kept: upright, JPEG, at most 1,024 pixels wide or high, no metadata.

The content decides what a file is, not its name. Sizes are looked at before anything is decoded, so that a small file
that unfolds into a huge picture is refused at no cost. What is kept was encoded here: nothing that was hidden in an
upload (a place, a name, a script) outlives it.
"""

import hashlib
import io
import re
import threading
import warnings
from dataclasses import dataclass

import pillow_heif
from PIL import Image, UnidentifiedImageError

from bots.errors import (
    BrokenPhoto,
    EmptyFile,
    FileTooLarge,
    OtherPicture,
    PhotoTooLarge,
    TooManyPixels,
    UnreadablePhoto,
    UserError,
)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
ANIMATED = {"PNG", "WEBP", "GIF", "AVIF"}
SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|....ftyp(hei|hev|mif|msf|avi)", re.DOTALL)
LONGEST = 1024  # pixels
QUALITY = 92  # of the JPEG
FRAMES = 16  # of an animation that are looked at; the one in the middle is kept
SCANS = 100  # of a JPEG; cameras write one, progressive files about ten, and each may cost a second of work
AT_ONCE = 2  # photos of one process that may be decoded at the same time: each may take some hundred megabytes
ORIENTATION = 0x0112  # EXIF tag -> how to turn the picture upright
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

pillow_heif.register_heif_opener()
warnings.filterwarnings("ignore", module=r"PIL\.")  # odd tags are nothing that the sender could act on
_decoding = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class CheckedPhoto:
    """What is kept of an upload. sha256: of `jpeg`, in hexadecimal; the same upload always gives the same."""

    jpeg: bytes
    sha256: str
    width: int
    height: int


def check_photo(data: bytes, *, max_bytes: int = 20_000_000, max_pixels: int = 50_000_000) -> CheckedPhoto:
    """Decode, make it upright and small, encode. What is transparent becomes white.

    Raises UnreadablePhoto (no picture we take, or a broken one) and PhotoTooLarge, whatever the file holds.
    """
    if not data:
        raise EmptyFile
    if len(data) > max_bytes:
        raise FileTooLarge(megabytes=len(data) / 1e6, limit=max_bytes / 1e6)
    if data.count(b"\xff\xda") > SCANS and data.startswith(b"\xff\xd8"):
        raise BrokenPhoto
    # A frame of a GIF may be larger than its header says, and Pillow makes room for it on opening, up to twice this.
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with _decoding, _open(data) as image:
            _check_size(image, max_pixels)
            small = _decode(image, max_pixels)
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=QUALITY)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        if said := re.search(r"(\d+) pixels", str(error)):
            raise TooManyPixels(megapixels=int(said[1]) / 1e6, limit=max_pixels / 1e6) from None
        raise PhotoTooLarge from None
    except Exception:  # a decoder that meets damaged data raises whatever it likes: OSError, struct.error ...
        raise BrokenPhoto from None
    jpeg = buffer.getvalue()
    return CheckedPhoto(jpeg, hashlib.sha256(jpeg).hexdigest(), *small.size)


def _open(data: bytes) -> Image.Image:
    """Read the header; nothing is decoded yet."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise BrokenPhoto if SIGNATURE.match(data) else _not_ours(data) from None


def _not_ours(data: bytes) -> UnreadablePhoto:
    """Some other picture, if Pillow knows it; else no picture at all."""
    try:
        with Image.open(io.BytesIO(data)) as other:
            return OtherPicture(format=other.format)
    except Exception:
        return UnreadablePhoto()


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if (pixels := image.width * image.height) > max_pixels:
        raise TooManyPixels(megapixels=pixels / 1e6, limit=max_pixels / 1e6)


def _decode(image: Image.Image, max_pixels: int) -> Image.Image:
    """Upright RGB without metadata, its longest side at most LONGEST."""
    if image.format in ANIMATED and getattr(image, "is_animated", False):
        _seek_middle(image, max_pixels)
    image.draft("RGB", (LONGEST, LONGEST))  # a large JPEG is decoded at a half, a quarter or an eighth
    image.load()
    turn = UPRIGHT.get(_orientation(image))  # asked before the conversions below, which lose it
    if image.mode == "I;16":  # 16-bit grey: Pillow would clip it, not scale it
        image = image.point(lambda value: value / 256, "L")
    transparent = image.has_transparency_data
    if image.mode not in (("RGBA",) if transparent else ("L", "RGB")):
        image = image.convert("RGBA" if transparent else "RGB")
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=3)
    clean = Image.new("RGB", image.size, "white")  # has no metadata, as a converted copy would
    clean.paste(image, mask=image if transparent else None)
    return clean if turn is None else clean.transpose(turn)


def _seek_middle(image: Image.Image, max_pixels: int) -> None:
    """Go to the middle of an animation's first frames: the very first one is often blank. Damaged frames are left out.

    As many are looked at as make up one picture of max_pixels, so that an animation costs no more than a photo.
    """
    frames = 1
    try:
        while frames < FRAMES and (frames + 1) * image.width * image.height <= max_pixels:
            image.seek(frames)
            frames += 1
    except Exception:  # EOFError at the end; whatever a decoder raises at damaged data
        pass
    image.seek(frames // 2)
    _check_size(image, max_pixels)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged metadata is no reason to refuse a photo
        return 1
