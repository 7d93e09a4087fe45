"""Reader of Karpathy and Fei-Fei's splits (2015): dataset_flickr8k.json, dataset_flickr30k.json, dataset_coco.json.

Most papers report results on these splits. As in those papers, COCO's `restval` belongs to the training split.
"""

from pathlib import Path
from typing import Any

from model.errors import BadData
from training.data.identity import parse_split
from training.data.raw import RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, read_json, required_field

CAPTION_FILES = "dataset_*.json"


def find(path: Path) -> list[Path]:
    """Return the caption files at `path`; empty if none is Karpathy's."""
    return find_files(path, "dataset_*.json")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Read all photos of one file; several together would train on test photos of one another. Raises BadData."""
    if len(files) > 1:
        raise BadData(f"{files[0].parent}: name one of {', '.join(path.name for path in files)}, not their folder")
    images = required_field(read_json(files[0]), "images", list, str(files[0]))
    return [_photo(image, f"{files[0]}, image {number}") for number, image in enumerate(images)]


def _photo(image: Any, where: str) -> RawPhoto:
    captions = [
        required_field(sentence, "raw", str, where) for sentence in required_field(image, "sentences", list, where)
    ]
    return RawPhoto(
        required_field(image, "filename", str, where),
        captions,
        parse_split(required_field(image, "split", str, where), where),
    )
