"""Random pictures that are not photos: negative examples for fitting the photo detector.

Text, screenshots, blank pictures, gradients and noise are left out on purpose: the detector is tested with those
(tests/support/non_photos.py), which shows whether it generalises to kinds that it was not fitted on.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from model.preprocessing import read_photo


def chart(rng: np.random.Generator, side: int) -> Image.Image:
    """Axes with bars or curves."""
    image = Image.new("RGB", (side, side), _light(rng))
    pen, margin = ImageDraw.Draw(image), side // 8
    count, width = int(rng.integers(3, 15)), max(1, side // 150)
    if rng.random() < 0.5:
        step = (side - 2 * margin) / count
        for bar in range(count):
            top = margin + rng.random() * (side - 2 * margin)
            left = margin + bar * step
            pen.rectangle((left, top, left + step * rng.uniform(0.5, 0.9), side - margin), fill=_colour(rng))
    else:
        for _ in range(int(rng.integers(1, 5))):
            heights = side / 2 + np.cumsum(rng.normal(size=40)) * side / 40
            xs = np.linspace(margin, side - margin, 40)
            points = list(zip(xs, heights.clip(margin, side - margin), strict=True))
            pen.line(points, fill=_colour(rng), width=width * 2)
    pen.line((margin, margin, margin, side - margin, side - margin, side - margin), fill=_dark(rng), width=width)
    return image


def shapes(rng: np.random.Generator, side: int) -> Image.Image:
    """Flat coloured shapes, as in clip art and logos."""
    image = Image.new("RGB", (side, side), _colour(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 25))):
        x, y = rng.random(2) * side
        w, h = rng.uniform(0.05, 0.6, 2) * side
        box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        kind = rng.integers(3)
        if kind == 2:
            pen.polygon([tuple(point) for point in rng.random((3, 2)) * side], fill=_colour(rng))
        else:
            (pen.ellipse if kind else pen.rectangle)(box, fill=_colour(rng))
    return image


def stripes(rng: np.random.Generator, side: int) -> Image.Image:
    """Stripes, checks or a tartan in two or three colours."""
    y, x = np.mgrid[:side, :side] / side
    angle, count = rng.uniform(0, np.pi), rng.uniform(2, 40)
    first = np.floor((x * np.cos(angle) + y * np.sin(angle)) * count) % 2
    second = np.floor((x * -np.sin(angle) + y * np.cos(angle)) * count) % 2
    index = (first + second if rng.random() < 0.5 else first).astype(int)
    return Image.fromarray(np.array([_colour(rng) for _ in range(3)], np.uint8)[index])


def code(rng: np.random.Generator, side: int) -> Image.Image:
    """Black modules on white, as in QR codes and bar codes."""
    count = int(rng.integers(15, 60))
    cells = rng.random((1 if rng.random() < 0.4 else count, count)) < 0.5
    block = Image.fromarray((~cells).astype(np.uint8) * 255).resize((side, side), Image.Resampling.NEAREST)
    image, inner = Image.new("RGB", (side, side), "white"), round(side * rng.uniform(0.4, 0.95))
    image.paste(block.resize((inner, inner), Image.Resampling.NEAREST), ((side - inner) // 2,) * 2)
    return image


def drawing(rng: np.random.Generator, side: int) -> Image.Image:
    """Thin dark lines and circles on a light ground, as in sketches, plans and diagrams."""
    image = Image.new("RGB", (side, side), _light(rng))
    pen, width = ImageDraw.Draw(image), max(1, side // int(rng.integers(80, 250)))
    for _ in range(int(rng.integers(5, 80))):
        x, y, radius = rng.random(3) * side
        if rng.random() < 0.3:
            pen.ellipse(
                (x - radius / 4, y - radius / 4, x + radius / 4, y + radius / 4), outline=_dark(rng), width=width
            )
        else:
            end = rng.random(2) * side if rng.random() < 0.5 else (x, rng.random() * side)
            pen.line((x, y, *end), fill=_dark(rng), width=width)
    return image


def waves(rng: np.random.Generator, side: int) -> Image.Image:
    """Interfering sine waves: test patterns and moiré."""
    y, x = np.mgrid[:side, :side] / side
    total = np.zeros((side, side, 3))
    for _ in range(int(rng.integers(1, 4))):
        fx, fy = rng.normal(size=2) * rng.choice([3, 15, 60])
        total += np.sin(2 * np.pi * (fx * x + fy * y + rng.random()))[..., None] * rng.uniform(-1, 1, 3)
    return _scaled(total, rng)


def blobs(rng: np.random.Generator, side: int) -> Image.Image:
    """A few soft spots of colour, as in wallpapers."""
    y, x = np.mgrid[:side, :side] / side
    total = np.zeros((side, side, 3))
    for _ in range(int(rng.integers(2, 7))):
        (cx, cy), spread = rng.random(2), rng.uniform(0.1, 0.5)
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * spread**2))
        total += spot[..., None] * rng.uniform(-1, 1, 3)
    return _scaled(total, rng)


def mosaic(rng: np.random.Generator, side: int) -> Image.Image:
    """Tiles of random colour, large or as small as a few pixels."""
    count = int(rng.choice([3, 6, 12, 30, 70, 110]))
    middle, spread = rng.uniform(60, 200, 3), rng.uniform(5, 90)
    tiles = (middle + rng.normal(size=(count, count, 3)) * spread).clip(0, 255).astype(np.uint8)
    return Image.fromarray(tiles).resize((side, side), Image.Resampling.NEAREST)


def automaton(rng: np.random.Generator, side: int) -> Image.Image:
    """Patterns of a one-dimensional cellular automaton: dense, sharp and without any larger form."""
    count, rule = int(rng.choice([56, 112, 224])), rng.integers(0, 2, 8)
    row, rows = rng.integers(0, 2, count), []
    for _ in range(count):
        rows.append(row)
        row = rule[4 * np.roll(row, 1) + 2 * row + np.roll(row, -1)]
    palette = np.array([_colour(rng), _colour(rng)], np.uint8)
    return Image.fromarray(palette[np.stack(rows)]).resize((side, side), Image.Resampling.NEAREST)


KINDS: tuple[Callable[[np.random.Generator, int], Image.Image], ...] = (
    chart,
    shapes,
    stripes,
    code,
    drawing,
    waves,
    blobs,
    mosaic,
    automaton,
)


def non_photos(count: int, seed: int = 0) -> np.ndarray:
    """uint8 (count, 224, 224, 3): all kinds in turn, of several sizes, as PNG or as JPEG of any quality."""
    rng = np.random.default_rng(seed)
    pictures = []
    for number in range(count):
        image, buffer = KINDS[number % len(KINDS)](rng, int(rng.choice([224, 350, 500]))), io.BytesIO()
        if rng.random() < 0.5:
            image.save(buffer, "PNG", compress_level=0)
        else:
            image.save(buffer, "JPEG", quality=int(rng.integers(40, 96)))
        pictures.append(read_photo(buffer.getvalue()))
    return np.stack(pictures)


def _scaled(total: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Any numbers (side, side, 3), as colours between a random low and a random high."""
    low, high = np.sort(rng.uniform(0, 255, 2))
    total = (total - total.min()) / (np.ptp(total) + 1e-9)
    return Image.fromarray((low + total * (high - low)).astype(np.uint8))


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _light(rng: np.random.Generator) -> tuple[int, int, int]:
    grey = int(rng.integers(225, 256))
    return grey, grey, grey


def _dark(rng: np.random.Generator) -> tuple[int, int, int]:
    grey = int(rng.integers(0, 90))
    return grey, grey, grey
