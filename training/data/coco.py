"""Reader of COCO captions (Chen et al. 2015): captions_train2017.json and captions_val2017.json, or those of 2014.

Other data in this format works as well. The split is the word train, val or test in the file's name.
"""

import re
from pathlib import Path

from training.data.raw import RawPhoto
from training.data.report import Report
from training.data.text_files import find_files, read_json, required_field

CAPTION_FILES = "captions_*.json or annotations/captions_*.json"


def find(path: Path) -> list[Path]:
    """Return the caption files at `path`; empty if there is no COCO data set."""
    return find_files(path, "captions_*.json", "annotations/captions_*.json")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Read the photos of all files. A photo's split is the one in its file's name."""
    return [photo for path in files for photo in _photos(path, report)]


def _photos(path: Path, report: Report) -> list[RawPhoto]:
    named = re.search("train|val|test", path.stem)
    split = named[0] if named else None
    content = read_json(path)
    photos: dict[int | str, RawPhoto] = {}
    for number, image in enumerate(required_field(content, "images", list, str(path))):
        where = f"{path}, image {number}"
        image_id, name = required_field(image, "id", (int, str), where), required_field(image, "file_name", str, where)
        photos[image_id] = RawPhoto(name, split=split)
    for number, annotation in enumerate(required_field(content, "annotations", list, str(path))):
        where = f"{path}, annotation {number}"
        image_id, caption = (
            required_field(annotation, "image_id", (int, str), where),
            required_field(annotation, "caption", str, where),
        )
        if image_id in photos:
            photos[image_id].captions.append(caption)
        else:
            report.drop("caption of a photo that is not listed", f"{path.name} image {image_id}")
    return list(photos.values())
