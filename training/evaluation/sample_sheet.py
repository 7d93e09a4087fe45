"""A picture of sample captions: photos with caption, references, and the attention to each word."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.attention_plot import GAP, attention_picture, stack
from model.preprocessing import read_photo
from training.data import Example
from training.evaluation.evaluate import Evaluation

PHOTOS = 10
LINE = 20  # pixels


def sample_sheet(evaluation: Evaluation, count: int = PHOTOS) -> Image.Image:
    """Draw `count` photos that are evenly spaced in the ranking by CIDEr, so that they are not cherry-picked."""
    scores = evaluation.scores.per_photo["cider"]
    best_first = np.argsort(-scores, kind="stable")
    chosen = best_first[np.linspace(0, len(scores) - 1, min(count, len(scores))).round().astype(int)]
    title = f"{evaluation.title}: photos from the best caption to the worst   {evaluation.signature}"
    pictures = [_lines([title], "black")]
    for number in chosen.tolist():
        example = evaluation.examples[number]
        pictures += [_caption(evaluation, example, float(scores[number])), _references(example)]
    return stack(pictures)


def _caption(evaluation: Evaluation, example: Example, cider: float) -> Image.Image:
    size = evaluation.stored.config.photo_size
    photo = read_photo(evaluation.dataset.photo_bytes(example), size=size)
    words, weights = evaluation.words(example.id), evaluation.hypotheses[example.id][0].extras
    text = f"{' '.join(words)}   (CIDEr {cider:.2f})"
    if weights is None:  # a decoder without attention
        return attention_picture(photo, text, [], np.zeros((0, 1, 1)))
    side = isqrt(weights.shape[-1])
    return attention_picture(photo, text, words, weights[: len(words)].reshape(-1, side, side))


def _references(example: Example) -> Image.Image:
    return _lines([" ".join(caption) for caption in example.captions], "#666666", space=2 * GAP)


def _lines(lines: Sequence[str], colour: str, space: int = GAP) -> Image.Image:
    """Draw lines of text on white, as wide as the longest, with `space` pixels below."""
    font = ImageFont.load_default(size=14)
    width = max((int(font.getlength(line)) for line in lines), default=0)
    picture = Image.new("RGB", (width + 2 * GAP, len(lines) * LINE + GAP // 2 + space), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((GAP, number * LINE + GAP // 2), line, fill=colour, font=font)
    return picture
