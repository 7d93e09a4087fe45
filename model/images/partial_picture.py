"""Pictures of which a part is missing: how much of them can be decoded, and what is taken of it.

A picture is decoded twice such that a pixel that is missing has two values: the missing pixels are those that differ,
whatever the format and the order of the pixels.
"""

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFile

from model.images.pixel_modes import in_eight_bits, on_white

# With half of the rows of a photo the bundled model still finds three quarters of the words that it finds with all of
# them and that people wrote of the photo; with a third of the rows it finds less than half of them. (150 photos of
# Flickr8k's dev split.) So half of a picture is one, and whoever sends less is asked to send it again.
LEAST_ROWS = 0.5
STRIP = 256  # rows that are compared at a time, so that a comparison takes little memory; a multiple of all STEPS
STEPS = 8, 4, 2  # pixels between those of the first passes of an interlaced picture


class RowsMissing(Exception):
    """Too much of a picture is missing."""

    def __init__(self, share: float):
        super().__init__(f"only {int(share * 100)}% of its rows are there")


def decode_written(opened: Callable[[], ImageFile.ImageFile], draft: int) -> Image.Image:
    """What a decoder writes before it comes to the damage, in mode L, RGB or RGBA.

    A pixel that it does not write keeps the value that it had before. Those between others are interpolated.

    Args:
        opened: opens the picture anew, ready to be loaded.
        draft: pixels that both sides keep, see `keep_rows`.

    Raises:
        RowsMissing: they are too few.
    """
    over_zeros = _comparable(_load_over(opened(), 0))
    image = _load_over(opened(), 1)
    pixels, bottom = in_eight_bits(image), 0
    for box in _strips(image.size):
        differences = ImageChops.difference(over_zeros.crop(box), _comparable(image.crop(box)))
        there = differences.point([255] + 255 * [0])
        if (inside := there.getbbox()) is None:
            break
        bottom = box[1] + inside[3]
        if differences.getbbox() is not None:
            pixels.paste(_interpolated(pixels.crop(box), there), box)
    return keep_rows(pixels, bottom, draft)


def decode_filled(
    opened: Callable[[bytes], ImageFile.ImageFile], fillings: tuple[bytes, bytes], draft: int
) -> Image.Image:
    """The rows of a picture before the first that is not the same with either filling, in mode L, RGB or RGBA.

    Args:
        opened: opens the picture with a filling in the place of what is missing of the file.
        fillings: that a decoder makes different pixels of.
        draft: pixels that both sides keep, see `keep_rows`.

    Raises:
        RowsMissing: they are too few.
    """
    first_values = _comparable(opened(fillings[0]))
    image = opened(fillings[1])
    for box in _strips(image.size):
        if first := ImageChops.difference(first_values.crop(box), _comparable(image.crop(box))).getbbox():
            return keep_rows(in_eight_bits(image), box[1] + first[1], draft)
    return in_eight_bits(image)


def keep_rows(pixels: Image.Image, rows: int, draft: int) -> Image.Image:
    """The upper rows of a picture, at a fraction of their size as long as both sides keep `draft` pixels.

    A copy at full size would take as much memory again. Raises RowsMissing if they are too few.
    """
    if rows < LEAST_ROWS * pixels.height:
        raise RowsMissing(rows / pixels.height)
    if rows == pixels.height:
        return pixels
    return pixels.reduce(max(1, min(pixels.width, rows) // draft), box=(0, 0, pixels.width, rows))


def _strips(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    return [(0, top, size[0], min(top + STRIP, size[1])) for top in range(0, size[1], STRIP)]


def _load_over(image: ImageFile.ImageFile, value: int) -> ImageFile.ImageFile:
    """Decode what can be decoded over pixels that are all 0, or (value 1) all of the largest value."""
    prepare = image.load_prepare

    def prepare_and_fill() -> None:
        prepare()
        colour = value * (65_535 if image.im.mode.startswith("I") else 255)
        image.im.paste(colour if image.im.bands == 1 else (colour,) * image.im.bands, (0, 0, *image.im.size))

    image.load_prepare = prepare_and_fill  # type: ignore[method-assign]  # it makes room for the pixels
    try:
        image.load()
    except Exception:  # at the damage; without room for the pixels it came before any of them
        if image._im is None:
            raise RowsMissing(0) from None
    finally:
        del image.load_prepare  # it refers to the image, which else would wait for the garbage collector
    image.tile, image.readonly = [], 0  # what is loaded is all there will be, and it may be changed
    return image


def _comparable(image: Image.Image) -> Image.Image:
    """Mode L, where a pixel of the smallest and one of the largest value differ."""
    if image.mode == "P":  # whose palette may have one colour twice
        return Image.frombytes("L", image.size, image.tobytes())
    return in_eight_bits(image).getchannel(0)


def _interpolated(pixels: Image.Image, there: Image.Image) -> Image.Image:
    """The pixels, and where they are not there the mean of those near by, the nearest that there are."""
    mode = pixels.mode
    sparse = on_white(pixels)
    sparse.putalpha(there)
    filled = sparse.convert("RGB")
    for step in STEPS:
        coarse = sparse.reduce(step)  # weighs the pixels with `there`
        size = coarse.width * step, coarse.height * step
        known = coarse.getchannel("A").point([0] + 255 * [255]).resize(size, Image.Resampling.NEAREST)
        filled.paste(coarse.convert("RGB").resize(size, Image.Resampling.BICUBIC), mask=known)
    filled.paste(sparse, mask=there)
    return filled.convert(mode)
