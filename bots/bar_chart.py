"""Draws a bar chart of shares with their confidence intervals, using only Pillow."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH, MARGIN, ROW, BAR = 900, 30, 96, 26  # pixels
TITLE, LABEL, NOTE = 30, 24, 20  # font sizes
BACKGROUND, INK, GREY, TRACK, FILL = "#ffffff", "#1c1c1e", "#6b7280", "#e5e7eb", "#2f6fde"


@dataclass(frozen=True)
class Bar:
    """One bar of the chart.

    Attributes:
        share: 0 to 1; None if it is unknown.
        low, high: its confidence interval.
        note: a text below the bar.
    """

    label: str
    share: float | None
    low: float = 0.0
    high: float = 1.0
    note: str = ""


def bar_chart(title: str, bars: Sequence[Bar]) -> bytes:
    """Draw the chart. Returns a PNG."""
    image = Image.new("RGB", (WIDTH, 2 * MARGIN + 2 * TITLE + ROW * len(bars)), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((MARGIN, MARGIN), title, INK, ImageFont.load_default(TITLE))
    for number, bar in enumerate(bars):
        _draw(pen, bar, MARGIN + 2 * TITLE + ROW * number)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _draw(pen: ImageDraw.ImageDraw, bar: Bar, top: int) -> None:
    left, right, middle = MARGIN, WIDTH - MARGIN, top + LABEL + 8 + BAR // 2
    percent = "-" if bar.share is None else f"{bar.share:.0%}"
    font = ImageFont.load_default(LABEL)
    pen.text((left, top), bar.label, INK, font)
    pen.text((right, top), percent, INK, font, anchor="ra")
    pen.rectangle((left, middle - BAR // 2, right, middle + BAR // 2), TRACK)
    if bar.share is not None:
        pen.rectangle((left, middle - BAR // 2, _x(bar.share), middle + BAR // 2), FILL)
        pen.line((_x(bar.low), middle, _x(bar.high), middle), INK, 2)
        for end in (bar.low, bar.high):
            pen.line((_x(end), middle - 7, _x(end), middle + 7), INK, 2)
    pen.text((left, middle + BAR // 2 + 4), bar.note, GREY, ImageFont.load_default(NOTE))


def _x(share: float) -> float:
    return MARGIN + share * (WIDTH - 2 * MARGIN)
