"""Pillow's many modes of pixels, reduced to three."""

from PIL import Image


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Mode L or RGB, or RGBA if something is transparent. Pixels of such a mode are not copied."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it, not scale it
        image.info.pop("transparency", None)  # a colour of 16 bits, which no pixel has after this
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    transparent = image.has_transparency_data
    if image.mode in (("RGBA",) if transparent else ("L", "RGB")):
        return image
    return image.convert("RGBA" if transparent else "RGB")


def on_white(image: Image.Image) -> Image.Image:
    """A new RGB image without metadata, in which what was transparent is white."""
    clean = Image.new("RGB", image.size, "white")
    clean.paste(image, mask=image if image.mode == "RGBA" else None)
    return clean
