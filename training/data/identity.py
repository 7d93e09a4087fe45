"""Photo ids that are the same in all data sets, and splits."""

import hashlib
import os
import re

from model.errors import BadData

SPLITS = ("train", "val", "test")  # from least to most strictly held out
LEFT_OUT = "left out"  # of photos that the data set's split lists do not name
_NAMES = {"dev": "val", "valid": "val", "validation": "val", "restval": "train"}  # other names of splits

_COCO_2014 = re.compile(r"COCO_(?:train|val|test)2014_(\d{12})$")
_FLICKR = re.compile(r"(\d{5,})(?:_[0-9a-f]+)?")


def photo_id(name: str) -> str:
    """Photo id of a file name: the name without its suffix. COCO's names of 2014 become those of 2017."""
    stem = os.path.splitext(name)[0]
    coco = _COCO_2014.search(stem)
    return coco[1] if coco else stem


def photo_key(photo: str) -> str:
    """The part of a photo id that all data sets share: Flickr8k's 1000268201_693b08cb0e is 1000268201 in Flickr30k."""
    flickr = _FLICKR.fullmatch(photo)
    return flickr[1] if flickr else photo


def split_by_hash(photo: str) -> str:
    """Split of a photo whose data set has none: one in ten is `val`. Adding photos does not change those of others."""
    digest = hashlib.sha256(photo_key(photo).encode()).digest()
    return "val" if int.from_bytes(digest[:8]) % 10 == 0 else "train"


def parse_split(name: str, where: str) -> str:
    """The split that a data set calls `name`; `where` is named in the error. Raises BadData."""
    split = _NAMES.get(name.strip().lower(), name.strip().lower())
    if split not in SPLITS:
        raise BadData(f"{where}: there is no split {name!r}; use one of {', '.join(SPLITS)}")
    return split


def stricter(one: str, other: str) -> str:
    """Of two splits of one photo, the stricter: test before val before train."""
    return max(one, other, key=SPLITS.index)
