"""COCO captions (Chen et al. 2015) as published: captions_train2017.json and captions_val2017.json, or of 2014.

Other data in this form works as well: the split is told by train, val or test in the file's name.
"""

import re
from pathlib import Path

from training.data.raw import RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, member, read_json

LOOKS_FOR = "captions_*.json or annotations/captions_*.json"


def find(path: Path) -> list[Path]:
    """The caption files there; empty if this is not COCO."""
    return find_files(path, "captions_*.json", "annotations/captions_*.json")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Photos of all files, each in the split that its file is named for."""
    return [photo for path in files for photo in _photos(path, report)]


def _photos(path: Path, report: Report) -> list[RawPhoto]:
    named = re.search("train|val|test", path.stem)
    split = named[0] if named else None
    content = read_json(path)
    photos: dict[int | str, RawPhoto] = {}
    for number, image in enumerate(member(content, "images", list, str(path))):
        where = f"{path}, image {number}"
        image_id, name = member(image, "id", (int, str), where), member(image, "file_name", str, where)
        photos[image_id] = RawPhoto(name, split=split)
    for number, annotation in enumerate(member(content, "annotations", list, str(path))):
        where = f"{path}, annotation {number}"
        image_id, caption = member(annotation, "image_id", (int, str), where), member(annotation, "caption", str, where)
        if image_id in photos:
            photos[image_id].captions.append(caption)
        else:
            report.drop("caption of a photo that is not listed", f"{path.name} image {image_id}")
    return list(photos.values())
