"""Makes photos harder: variants that the photo detector must still accept as photos."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def grey(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return photo.convert("L").convert("RGB")


def blurred(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 2)))


def sharpened(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.UnsharpMask(1, int(rng.integers(80, 180)), 0))


def enlarged(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of it, as from a small or a zoomed picture."""
    width, height = photo.size
    scale = rng.uniform(0.4, 0.8)
    left, top = rng.uniform(0, 1 - scale, 2)
    box = (left * width, top * height, (left + scale) * width, (top + scale) * height)
    return photo.resize(photo.size, Image.Resampling.BICUBIC, box=box)


def dark(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _from(np.asarray(photo) * rng.uniform(0.2, 0.6))


def night(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Deep shadows, and the noise of a camera at its limit."""
    pixels = (np.asarray(photo) / 255.0) ** 3 * 255 * rng.uniform(0.5, 1)
    return _from(pixels + rng.normal(size=pixels.shape) * rng.uniform(1, 6))


def foggy(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Little contrast: fog, haze, snowfall."""
    clear = rng.uniform(0.15, 0.5)
    return _from(np.asarray(photo) * clear + (1 - clear) * rng.uniform(150, 230))


def overexposed(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Sky or snow burnt out to white."""
    return _from(np.asarray(photo) * rng.uniform(1.3, 2))


def on_white(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of it alone on white, as things are shown in shops."""
    size = np.array(photo.size)
    shown = (rng.uniform(0.3, 0.9, 2) * size).astype(int)
    corner = rng.integers(0, size - shown + 1)
    mask = Image.new("L", photo.size)
    ImageDraw.Draw(mask).ellipse((*corner, *(corner + shown)), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    return Image.composite(photo, Image.new("RGB", photo.size, "white"), soft)


KINDS = (grey, blurred, sharpened, enlarged, dark, night, foggy, overexposed, on_white)


def hard_photos(photos: np.ndarray, seed: int = 0) -> np.ndarray:
    """One hard variant of each photo, all kinds in turn; uint8 (count, height, width, 3) in and out."""
    rng = np.random.default_rng(seed)
    variants = (KINDS[number % len(KINDS)](Image.fromarray(photo), rng) for number, photo in enumerate(photos))
    return np.stack([np.asarray(variant) for variant in variants])


def _from(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
