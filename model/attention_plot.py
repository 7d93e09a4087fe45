"""Draw the attention weights of a caption: the photo, then one tile per word with its heat map (Xu et al. 2015)."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TILE = 168  # pixels per side of a word's tile
LABEL = 26  # height of the line above it
GAP = 8
COLUMNS = 5  # words per line
HEAT = np.array([255, 140, 0], np.float32)  # colour of attended cells; the others fade to dark grey


def heat_map(photo: np.ndarray, weights: np.ndarray, side: int = TILE) -> Image.Image:
    """The photo as a tile of side x side pixels, orange where the attention weights of one word are high.

    Args:
        photo: uint8 (height, width, 3).
        weights: (rows, columns). They are divided by their maximum, so the tile shows where, but not how much.
        side: pixels.
    """
    square = Image.fromarray(photo).resize((side, side), Image.Resampling.BICUBIC)
    grey = np.asarray(square.convert("L"), np.float32)[..., None] * 0.45
    stretched = np.asarray(weights, np.float32) / max(float(weights.max()), 1e-9)
    grid = Image.fromarray(stretched).resize((side, side), Image.Resampling.BICUBIC)
    heat = np.asarray(grid).clip(0, 1)[..., None]
    lit = np.asarray(square, np.float32) * 0.8 + HEAT * 0.2
    return Image.fromarray((grey * (1 - heat) + lit * heat).astype(np.uint8))


def attention_picture(photo: np.ndarray, sentence: str, words: Sequence[str], attention: np.ndarray) -> Image.Image:
    """The photo below its caption, and a heat map for each word; attention is (words, rows, columns)."""
    rows = max(1, -(-len(words) // COLUMNS))
    step_x, step_y = TILE + GAP, TILE + LABEL + GAP
    picture = Image.new("RGB", (GAP + (COLUMNS + 1) * step_x, LABEL + GAP + rows * step_y), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=16)
    top = LABEL + GAP
    pen.text((GAP, GAP // 2), sentence, fill="black", font=font)
    picture.paste(Image.fromarray(photo).resize((TILE, TILE), Image.Resampling.BICUBIC), (GAP, top + LABEL))
    for number, (word, weights) in enumerate(zip(words, attention, strict=True)):
        row, column = divmod(number, COLUMNS)
        corner = GAP + (column + 1) * step_x, top + row * step_y  # the first column is the photo's
        pen.text(corner, word, fill="black", font=font)
        picture.paste(heat_map(photo, weights), (corner[0], corner[1] + LABEL))
    return picture


def stack(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pictures one above the other, on white."""
    width, height = max(picture.width for picture in pictures), sum(picture.height for picture in pictures)
    sheet = Image.new("RGB", (width, height), "white")
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet
