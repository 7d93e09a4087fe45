"""From the bytes of a picture to its pixels, also where a part of it is damaged or missing."""

from collections.abc import Callable
from functools import partial

from PIL import Image, ImageFile

from model.images.animation import choose_frame, load_frame
from model.images.jpeg_segments import END, FILLINGS
from model.images.partial_picture import decode_filled, decode_written, keep_rows
from model.images.picture_bytes import JpegBytes, PictureBytes
from model.images.pixel_modes import in_eight_bits
from model.images.webp_chunks import without_first_frame

ANIMATED = {"PNG", "WEBP", "GIF", "AVIF"}
BY_ROWS = {"PNG", "GIF"}  # whose decoders write the rows that they have before they raise an error at damage
MOST_DAMAGED = 10  # frames at the beginning of a WebP, of which libwebp shows none behind a damaged one

Opener = Callable[[bytes], ImageFile.ImageFile]  # reads the header and checks the size


def decode_pixels(picture: PictureBytes, opened: Opener, *, draft: int, frames: int, max_pixels: int) -> Image.Image:
    """The pixels of a picture, or what there is of them, in mode L, RGB or RGBA.

    Args:
        picture: what of the file is needed.
        opened: opens a file.
        draft: pixels. A JPEG, or what there is of a picture, may be decoded at a fraction of its size as long as both
            sides keep this length.
        frames: of an animation that may be decoded.
        max_pixels: of these frames together.

    Raises:
        Exception: whatever a decoder raises at damaged data; RowsMissing if too little is there.
    """
    if isinstance(picture, JpegBytes):
        return _decode_jpeg(picture, opened, draft)
    image = opened(picture.data)
    animated = image.format in ANIMATED and _is_animated(image)
    if animated:
        if (frame := _decode_frame(picture.data, opened, frames, max_pixels)) is not None:
            return frame
        image = opened(picture.data)
    if image.format not in BY_ROWS:
        image.load()
    elif animated or not _can_load(image):  # the first frame was tried already
        del image  # it has room for all the pixels
        return decode_written(partial(opened, picture.data), draft)
    pixels = in_eight_bits(image)
    return keep_rows(pixels, round(picture.share * pixels.height), draft)


def _can_load(image: ImageFile.ImageFile) -> bool:
    try:
        image.load()
    except Exception:
        return False
    return True


def _decode_jpeg(picture: JpegBytes, opened: Opener, draft: int) -> Image.Image:
    """libjpeg decodes all that it can, and writes middle grey where data are missing."""

    def loaded(end: bytes = END, *, length: int | None = None, draft: int | None = None) -> ImageFile.ImageFile:
        image = opened(picture.data[:length] + end)
        if draft:
            image.draft("RGB", (draft, draft))
        image.load()
        return image

    try:
        image = loaded(draft=draft)
    except Exception:
        if not picture.first_scan:
            raise
        return in_eight_bits(loaded(length=picture.first_scan))  # coarse, but whole: a later scan is damaged
    if picture.may_lack_rows and _ends_filled(image):
        # At its full size, whatever the draft: so that all who read the file agree on how many rows there are.
        return decode_filled(loaded, FILLINGS, draft)
    return in_eight_bits(image)


def _ends_filled(image: Image.Image) -> bool:
    """Whether the last pixels are middle grey."""
    width, height = image.size
    last = image.crop((max(0, width - 2), height - 1, width, height))
    return all(set(band.tobytes()) <= {127, 128} for band in last.split())


def _is_animated(image: ImageFile.ImageFile) -> bool:
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # whatever follows the first frame is damaged
        return True


def _decode_frame(data: bytes, opened: Opener, frames: int, max_pixels: int) -> Image.Image | None:
    """A frame that shows something; None if no frame is whole, of those that may be tried."""
    for tried in range(MOST_DAMAGED):
        image = opened(data)
        if tried and (tried + 1) * image.width * image.height > max_pixels:
            break
        if (number := choose_frame(image, frames, max_pixels)) is not None:
            return in_eight_bits(load_frame(partial(opened, data), number))
        if image.format != "WEBP":
            break
        data = without_first_frame(data)
    return None
