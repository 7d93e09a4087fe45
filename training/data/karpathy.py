"""Karpathy's files (Karpathy and Fei-Fei 2015): dataset_flickr8k.json, dataset_flickr30k.json, dataset_coco.json.

The splits that most papers report on. COCO's `restval` is trained on, as they do.
"""

from pathlib import Path
from typing import Any

from model.errors import BadData
from training.data.identity import split_named
from training.data.raw import RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, member, read_json

LOOKS_FOR = "dataset_*.json"


def find(path: Path) -> list[Path]:
    """The caption files there; empty if none is Karpathy's."""
    return find_files(path, "dataset_*.json")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """All photos. One file at a time: together, photos that one of them tests on would be trained on."""
    if len(files) > 1:
        raise BadData(f"{files[0].parent}: name one of {', '.join(path.name for path in files)}, not their folder")
    images = member(read_json(files[0]), "images", list, str(files[0]))
    return [_photo(image, f"{files[0]}, image {number}") for number, image in enumerate(images)]


def _photo(image: Any, where: str) -> RawPhoto:
    captions = [member(sentence, "raw", str, where) for sentence in member(image, "sentences", list, where)]
    return RawPhoto(
        member(image, "filename", str, where), captions, split_named(member(image, "split", str, where), where)
    )
