"""Which photo is it, whatever data set names it, and in which split."""

import hashlib
import os
import re

from model.errors import BadData

SPLITS = ("train", "val", "test")  # from least to most strictly held out
LEFT_OUT = "left out"  # where a data set's authors put photos that are in no split
_NAMES = {"dev": "val", "valid": "val", "validation": "val", "restval": "train"}  # what else splits are called

_COCO_2014 = re.compile(r"COCO_(?:train|val|test)2014_(\d{12})$")
_FLICKR = re.compile(r"(\d{5,})(?:_[0-9a-f]+)?")


def photo_id(name: str) -> str:
    """Id of the photo in the file `name`: the name without its suffix, COCO's year 2014 named as its year 2017."""
    stem = os.path.splitext(name)[0]
    coco = _COCO_2014.search(stem)
    return coco[1] if coco else stem


def photo_key(photo: str) -> str:
    """What two ids of one photo have in common: Flickr8k's 1000268201_693b08cb0e is Flickr30k's 1000268201."""
    flickr = _FLICKR.fullmatch(photo)
    return flickr[1] if flickr else photo


def split_by_hash(photo: str) -> str:
    """Split of a photo id whose data set names none: one in ten is `val`. Adding photos moves no other photo."""
    digest = hashlib.sha256(photo_key(photo).encode()).digest()
    return "val" if int.from_bytes(digest[:8]) % 10 == 0 else "train"


def split_named(name: str, where: str) -> str:
    """The split that a data set calls `name`; `where` is named in the error."""
    split = _NAMES.get(name.strip().lower(), name.strip().lower())
    if split not in SPLITS:
        raise BadData(f"{where}: there is no split {name!r}; use one of {', '.join(SPLITS)}")
    return split


def stricter(one: str, other: str) -> str:
    """Of two splits of one photo, the one that holds it out more strictly."""
    return max(one, other, key=SPLITS.index)
