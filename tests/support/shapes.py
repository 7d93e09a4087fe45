"""Small photos that tests draw: a coloured shape on a grey ground, and a captioned data set of them."""

import csv
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = ("circle", "square")
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 210, 40)}


def draw(shape: str = "circle", colour: str = "red", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A coloured shape on a grey ground."""
    image = Image.new("RGB", size, (190, 190, 190))
    box = (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4)
    pen = ImageDraw.Draw(image)
    (pen.ellipse if shape == "circle" else pen.rectangle)(box, fill=COLOURS[colour])
    return image


def write_shapes(folder: Path) -> Path:
    folder.mkdir()
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["photo", "caption", "split"])
        for number, (shape, colour) in enumerate((shape, colour) for shape in SHAPES for colour in COLOURS):
            name, split = f"{colour}-{shape}.jpg", "val" if number in (3, 6) else "train"
            draw(shape, colour).save(folder / name)
            table.writerow([name, f"A {colour} {shape} .", split])
            table.writerow([name, f"There is a {shape}, and it is {colour}.", split])
    return folder
