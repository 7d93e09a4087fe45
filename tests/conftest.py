"""Fixtures that several test files share."""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

pytest_plugins = [
    "database",  # engine, sessions, session, store
    "processes",  # embedded, distributed: captionbot in processes of its own
    "learning_parts",  # plain_data, features, plain_model, told, taught: made once, though several files use them
]

ROOT = Path(__file__).resolve().parent.parent
SHAPES = ("circle", "square")
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 210, 40)}


@pytest.fixture(scope="session")
def flickr8k() -> Path:
    """The folder with Flickr8k; the test is skipped where it is not."""
    folder = Path(os.environ.get("CAPTIONBOT_TEST_DATA") or ROOT / "../shared/data/flickr8k").resolve()
    if not (folder / "Flickr8k.token.txt").is_file():
        pytest.skip(f"Flickr8k is not in {folder}; set CAPTIONBOT_TEST_DATA to the folder that has it")
    return folder


def draw(shape: str = "circle", colour: str = "red", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A coloured shape on a grey ground."""
    image = Image.new("RGB", size, (190, 190, 190))
    box = (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4)
    pen = ImageDraw.Draw(image)
    (pen.ellipse if shape == "circle" else pen.rectangle)(box, fill=COLOURS[colour])
    return image


@pytest.fixture(scope="session")
def photo_bytes() -> Callable[..., bytes]:
    """photo_bytes("PNG", shape="square", colour="blue", size=(40, 30)): a small photo, encoded in memory."""

    def encode(format: str = "JPEG", **drawing: object) -> bytes:
        buffer = io.BytesIO()
        draw(**drawing).save(buffer, format)  # type: ignore[arg-type]
        return buffer.getvalue()

    return encode


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Path:
    """A custom data set of eight coloured shapes, two captions each: six to train, two to validate."""
    return write_shapes(tmp_path / "shapes")


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, one for all tests: not to be changed."""
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes")


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
