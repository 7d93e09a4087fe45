"""Which frame of an animation is described: one that shows something. Damaged frames are stepped over."""

from collections.abc import Callable, Iterator
from math import inf

from PIL import Image, ImageFile, ImageStat

from model.images.pixel_modes import in_eight_bits, on_white

FIRST = 16  # frames that are looked at in any case; the very first ones are often blank
ENOUGH = 8  # frames that show something, so that no more than FIRST need be looked at
MOST = 250  # frames that are looked at at most
CONTRAST = 10.0  # standard deviation of the values 0 to 255 of a colour; dark noise and plain frames have less
LESS = 3.0  # contrast than the best frame has, which tells a frame from it where none has much
LOOK = 64  # pixels a side at which a frame is looked at


def choose_frame(image: ImageFile.ImageFile, most: int, max_pixels: int) -> int | None:
    """The number of a frame in the middle of the first ones that show something. None if no frame is whole.

    Of frames that are all nearly plain, one in the middle of the first ones. No more are decoded than have the pixels
    of one image of max_pixels, so that an animation costs little more than a photo.

    Args:
        image: an animation, at its first frame; it is left at any.
        most: frames that may be looked at.
        max_pixels: of them together.
    """
    contrasts: dict[int, float] = {}
    for number in whole_frames(image, min(most, MOST), max_pixels):
        contrasts[number] = _contrast(image)
        if number + 1 >= FIRST and sum(contrast >= CONTRAST for contrast in contrasts.values()) >= ENOUGH:
            break
    least = min(CONTRAST, max(contrasts.values(), default=0.0) - LESS)
    shown = [number for number, contrast in contrasts.items() if contrast >= least][:FIRST]
    return shown[len(shown) // 2] if shown else None


def whole_frames(image: ImageFile.ImageFile, most: int, max_pixels: float = inf) -> Iterator[int]:
    """Load each frame in turn; its number, if it could be loaded. A frame is drawn over the one before it."""
    for number in range(most):
        if number and (number + 1) * image.width * image.height > max_pixels:
            return
        try:
            image.seek(number)
            image.load()
        except EOFError:
            return
        except Exception:  # a decoder raises anything at damaged data
            image.tile = []  # otherwise the next frame would begin with loading this one again
            continue
        yield number


def load_frame(opened: Callable[[], ImageFile.ImageFile], number: int) -> ImageFile.ImageFile:
    """A frame that `choose_frame` chose, decoded in the same way as there."""
    image = opened()
    for loaded in whole_frames(image, number + 1):
        if loaded == number:
            return image
    raise ValueError(f"frame {number} could be read only once")


def _contrast(image: Image.Image) -> float:
    """The largest standard deviation of a colour in the frame, on white where it is transparent."""
    small = image.resize((LOOK, LOOK), Image.Resampling.BOX)
    return max(ImageStat.Stat(on_white(in_eight_bits(small))).stddev)
