"""From an uploaded file to the photo that is stored: upright, JPEG, at most 1,024 pixels a side, without metadata.

model/images/image_file.py decides what is accepted, for uploads as for the command line. What is stored is encoded
here, so that nothing that was hidden in an upload (a place, a name, a script) is kept.
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from bots import errors
from db.perceptual_hash import perceptual_hash
from model.images import image_file  # the only module of the model that front-ends may import: it needs Pillow alone

LONGEST = 1024  # pixels
QUALITY = 92  # of the JPEG
SUFFIXES = image_file.SUFFIXES


@dataclass(frozen=True)
class CheckedPhoto:
    """A photo that is ready to be stored. The same upload always gives the same."""

    jpeg: bytes
    sha256: str  # of `jpeg`, in hexadecimal
    width: int  # pixels
    height: int
    perceptual_hash: str  # see db/perceptual_hash.py


def check_photo(data: bytes, *, max_bytes: int = 20_000_000, max_pixels: int = image_file.MAX_PIXELS) -> CheckedPhoto:
    """Decode an upload, turn it upright, shrink it and encode it as JPEG. What is transparent becomes white.

    Raises:
        UnreadablePhoto: it is no image, in a format that is not accepted, or broken.
        PhotoTooLarge: it has too many bytes or pixels.
    """
    buffer = io.BytesIO()
    try:
        with image_file.decode_image(data, draft=LONGEST, max_bytes=max_bytes, max_pixels=max_pixels) as decoded:
            decoded.pixels.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=3)
            photo = decoded.upright(image_file.on_white(decoded.pixels))
            photo.save(buffer, "JPEG", quality=QUALITY)
            digest = perceptual_hash(photo)
    except image_file.UnreadablePhoto as error:
        raise _as_user_error(error) from None
    except Exception:  # whatever a decoder raises late at damaged data
        raise errors.BrokenPhoto from None
    jpeg = buffer.getvalue()
    return CheckedPhoto(jpeg, hashlib.sha256(jpeg).hexdigest(), *photo.size, digest)


def _as_user_error(error: image_file.UnreadablePhoto) -> errors.UserError:
    """The same error as a sentence in the person's language."""
    match error:
        case image_file.EmptyFile():
            return errors.EmptyFile()
        case image_file.OtherFormat(format=format):
            return errors.OtherPicture(format=format)
        case image_file.BrokenImage():
            return errors.BrokenPhoto()
        case image_file.FileTooLarge(size=size, limit=limit):
            return errors.FileTooLarge(size, limit)
        case image_file.TooManyPixels(pixels=pixels, limit=limit):
            return errors.TooManyPixels(pixels, limit)
        case _:
            return errors.UnreadablePhoto()
