"""How the two ways into the product open an image file: uploads (page and bots) and the command line."""

import io

from PIL import Image

from bots.errors import UserError
from bots.service.photo_check import check_photo
from model.errors import UnreadablePhoto
from model.images.image_file import decode_image
from model.preprocessing import read_photo


def accepted(read, data: bytes) -> bool:
    try:
        read(data)
    except (UserError, UnreadablePhoto):
        return False
    return True


def both(data: bytes) -> tuple[Image.Image, Image.Image]:
    """What uploads and the command line make of a file."""
    return Image.open(io.BytesIO(check_photo(data).jpeg)), Image.fromarray(read_photo(data))


def decoded(data: bytes, *, draft: int = 100, **limits: int) -> Image.Image:
    """The pixels of a file."""
    with decode_image(data, draft=draft, **limits) as image:
        return image.pixels
