"""A picture of shares: a bar for each, and the range in which the true one lies. Drawn with Pillow alone."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH, MARGIN, ROW, BAR = 900, 30, 96, 26  # pixels
TITLE, LABEL, NOTE = 30, 24, 20  # sizes of the font
PAPER, INK, GREY, TRACK, FILL = "#ffffff", "#1c1c1e", "#6b7280", "#e5e7eb", "#2f6fde"


@dataclass(frozen=True)
class Bar:
    """share: 0 to 1, None if it is not known; low and high: between which the true one lies. note: under the bar."""

    label: str
    share: float | None
    low: float = 0.0
    high: float = 1.0
    note: str = ""


def bar_chart(title: str, bars: Sequence[Bar]) -> bytes:
    """A PNG."""
    picture = Image.new("RGB", (WIDTH, 2 * MARGIN + 2 * TITLE + ROW * len(bars)), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, MARGIN), title, INK, ImageFont.load_default(TITLE))
    for number, bar in enumerate(bars):
        _draw(pen, bar, MARGIN + 2 * TITLE + ROW * number)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _draw(pen: ImageDraw.ImageDraw, bar: Bar, top: int) -> None:
    left, right, middle = MARGIN, WIDTH - MARGIN, top + LABEL + 8 + BAR // 2
    percent = "-" if bar.share is None else f"{bar.share:.0%}"
    font = ImageFont.load_default(LABEL)
    pen.text((left, top), bar.label, INK, font)
    pen.text((right, top), percent, INK, font, anchor="ra")
    pen.rectangle((left, middle - BAR // 2, right, middle + BAR // 2), TRACK)
    if bar.share is not None:
        pen.rectangle((left, middle - BAR // 2, _at(bar.share), middle + BAR // 2), FILL)
        pen.line((_at(bar.low), middle, _at(bar.high), middle), INK, 2)
        for end in (bar.low, bar.high):
            pen.line((_at(end), middle - 7, _at(end), middle + 7), INK, 2)
    pen.text((left, middle + BAR // 2 + 4), bar.note, GREY, ImageFont.load_default(NOTE))


def _at(share: float) -> float:
    return MARGIN + share * (WIDTH - 2 * MARGIN)
