"""Pictures that are no photos, for tests: text, screenshots, blank pictures, gradients, noise.

The photo detector must never be fitted on these kinds: training/packaging/non_photos.py has others.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.preprocessing import read_photo

WORDS = "the report shows that total sales of paper rose in spring while costs per unit fell again 2024 37.5 %".split()


def blank(rng: np.random.Generator, side: int) -> Image.Image:
    """One colour; sometimes with a trace of sensor noise, as with the lens cap on."""
    pixels = np.full((side, side, 3), rng.integers(0, 256, 3) if rng.random() < 0.7 else rng.choice([0, 255]))
    if rng.random() < 0.4:
        pixels = pixels + rng.normal(size=pixels.shape) * rng.uniform(0.5, 2)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def gradient(rng: np.random.Generator, side: int) -> Image.Image:
    """From one colour to another, along a line or outward from a point."""
    y, x = np.mgrid[:side, :side] / side
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        ramp = x * np.cos(angle) + y * np.sin(angle)
    else:
        ramp = np.hypot(x - rng.random(), y - rng.random())
    ramp = (ramp - ramp.min()) / np.ptp(ramp)
    first, second = rng.integers(0, 256, (2, 3))
    return Image.fromarray((first + ramp[..., None] * (second - first)).astype(np.uint8))


def noise(rng: np.random.Generator, side: int) -> Image.Image:
    """Independent pixels, coloured or grey, uniform or normal."""
    shape = (side, side, 3 if rng.random() < 0.5 else 1)
    if rng.random() < 0.5:
        pixels = rng.uniform(0, 255, shape)
    else:
        pixels = rng.uniform(60, 200) + rng.normal(size=shape) * rng.uniform(15, 70)
    return Image.fromarray(np.broadcast_to(pixels.clip(0, 255).astype(np.uint8), (side, side, 3)).copy())


def text(rng: np.random.Generator, side: int) -> Image.Image:
    """A page of print."""
    dark = rng.random() < 0.25
    image = Image.new("RGB", (side, side), (20, 20, 25) if dark else _light(rng))
    pen = ImageDraw.Draw(image)
    _lines(pen, rng, (side // 12, side // 12, side - side // 12, side - side // 12), "white" if dark else "black", side)
    return image


def screenshot(rng: np.random.Generator, side: int) -> Image.Image:
    """A window with a title bar, a side bar, panels, buttons and text."""
    image = Image.new("RGB", (side, side), _light(rng))
    pen = ImageDraw.Draw(image)
    bar, side_bar = side // 14, side // int(rng.integers(4, 7))
    pen.rectangle((0, 0, side, bar), fill=tuple(rng.integers(30, 220, 3).tolist()))
    pen.rectangle((0, bar, side_bar, side), fill=tuple(rng.integers(180, 245, 3).tolist()))
    _lines(pen, rng, (side_bar // 8, 2 * bar, side_bar, side - bar), "black", side)
    top = 2 * bar
    while top < side - 3 * bar:
        height = int(rng.integers(2 * bar, 6 * bar))
        box = (side_bar + bar // 2, top, side - bar // 2, min(top + height, side - bar // 2))
        pen.rectangle(box, fill="white", outline=(200, 200, 205))
        _lines(pen, rng, (box[0] + bar // 3, box[1] + bar // 3, box[2] - 3 * bar, box[3]), (40, 40, 40), side)
        button = (box[2] - 2 * bar, box[1] + bar // 2, box[2] - bar // 2, box[1] + bar)
        pen.rounded_rectangle(button, bar // 6, fill=tuple(rng.integers(30, 220, 3).tolist()))
        top += height + bar // 2
    return image


KINDS = (blank, gradient, noise, text, screenshot)


def unseen_non_photos(count: int, seed: int) -> list[np.ndarray]:
    """uint8 (224, 224, 3) each: all kinds in turn, of several sizes, as PNG or JPEG."""
    rng = np.random.default_rng(seed)
    pictures = []
    for number in range(count):
        image, buffer = KINDS[number % len(KINDS)](rng, int(rng.choice([224, 400, 800]))), io.BytesIO()
        image.save(buffer, "PNG" if rng.random() < 0.5 else "JPEG", compress_level=0)
        pictures.append(read_photo(buffer.getvalue()))
    return pictures


def _light(rng: np.random.Generator) -> tuple[int, int, int]:
    return tuple(rng.integers(225, 256, 3).tolist())


def _lines(pen: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple, colour: object, side: int) -> None:
    """Fill a box with lines of words; what does not fit in the width runs out of the box, as on real screens."""
    size = max(6, round(side * rng.uniform(0.022, 0.05)))
    font = ImageFont.load_default(size=size)
    for y in range(int(box[1]), int(box[3]) - size, round(size * rng.uniform(1.2, 1.6))):
        fits = max(1, int((box[2] - box[0]) / (size * 2.6)))
        pen.text((box[0], y), " ".join(rng.choice(WORDS, int(rng.integers(1, fits + 1)))), fill=colour, font=font)
