"""A data set of captioned photos, whatever format it came in.

dataset = load_dataset(Path("flickr8k"))
print(dataset.report)
for example in dataset.split("train"):
    dataset.photo_bytes(example), example.captions
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.errors import BadData, UnreadablePhoto
from training.data import coco, custom, flickr8k, flickr30k, karpathy
from training.data.cleaning import clean, names_a_side
from training.data.identity import LEFT_OUT, SPLITS, photo_id, split_by_hash
from training.data.photo_files import PhotoFiles, Place
from training.data.raw import RawPhoto, Reader
from training.data.report import Report

READERS: dict[str, Reader] = {
    "flickr8k": flickr8k,
    "flickr30k": flickr30k,
    "coco": coco,
    "karpathy": karpathy,
    "custom": custom,
}


@dataclass(frozen=True)
class Example:
    """One photo and what people wrote of it."""

    id: str  # stable across sources: "1000268201_693b08cb0e"
    photo: str  # name of its file
    captions: tuple[tuple[str, ...], ...]  # cleaned, in words
    split: str  # train, val or test

    @property
    def mirrorable(self) -> bool:
        """Whether its captions are as true of the photo mirrored: they name neither side."""
        return not any(map(names_a_side, self.captions))


class Dataset:
    """Examples with distinct ids, in the order of their source, and the bytes of their photos."""

    def __init__(
        self,
        examples: list[Example],
        report: Report,
        places: Mapping[str, Place],
        held_out: frozenset[str] = frozenset(),
    ):
        """`places`: where the photo with this id lies. `held_out`: ids never to train on, examples or not."""
        self.examples = examples
        self.report = report
        self.places = places
        self.held_out = held_out
        for split in SPLITS:
            kept = self.split(split)
            report.splits[split] = len(kept), sum(len(example.captions) for example in kept)

    def split(self, name: str) -> list[Example]:
        """Examples of train, val or test."""
        if name not in SPLITS:
            raise BadData(f"there is no split {name!r}; choose one of {', '.join(SPLITS)}")
        return [example for example in self.examples if example.split == name]

    def photo_bytes(self, example: Example) -> bytes:
        """The photo's file as it is. Any number of threads may call. Raises UnreadablePhoto."""
        place = self.places.get(example.id)
        if place is None:
            raise UnreadablePhoto(f"{example.photo}: this data set does not have it")
        return place.read()

    @cached_property
    def hash(self) -> str:
        """12 hex digits of ids, splits and captions, whatever their order and source. Part of a score's signature."""
        digest = hashlib.sha256()
        for example in sorted(self.examples, key=lambda example: example.id):
            digest.update(json.dumps([example.id, example.split, example.captions]).encode())
        return digest.hexdigest()[:12]


def load_dataset(path: Path, *, format: str = "auto", photos: Path | None = None) -> Dataset:
    """Read the data set in a folder (or its caption file), clean it, and find its photos.

    `format`: a key of READERS, or auto: told by the files that are there. `photos`: folder of the photos or of their
    tar archives, or one archive; without it they are looked for beside the captions. Raises BadData.
    """
    name, files = _detect(path, format)
    report = Report(str(path), name)
    raw = READERS[name].read(files, report)
    folder = photos or (path if path.is_dir() else path.parent)
    return _assemble(raw, PhotoFiles(folder), folder, report)


def _detect(path: Path, format: str) -> tuple[str, list[Path]]:
    """Format and caption files of what lies at `path`."""
    if not path.exists():
        raise BadData(f"{path}: no such file or folder")
    if format not in ("auto", *READERS):
        raise BadData(f"there is no format {format!r}; choose one of auto, {', '.join(READERS)}")
    asked = READERS if format == "auto" else {format: READERS[format]}
    found = {name: files for name, reader in asked.items() if (files := reader.find(path))}
    if not found:
        wanted = "; ".join(f"{name}: {reader.LOOKS_FOR}" for name, reader in asked.items())
        raise BadData(f"{path}: no captions found. Looked for {wanted}")
    if len(found) > 1:
        raise BadData(f"{path} holds several data sets ({', '.join(found)}); say which format to read")
    return found.popitem()


def _assemble(raw: list[RawPhoto], files: PhotoFiles, folder: Path, report: Report) -> Dataset:
    """Clean captions, settle splits, find photos; each photo that falls out is named in the report."""
    report.read = len(raw), sum(len(photo.captions) for photo in raw)
    examples: dict[str, Example] = {}
    places: dict[str, Place] = {}
    held_out: set[str] = set()
    missing = 0
    for photo in raw:
        name, id = photo.name, photo_id(photo.name)
        split = photo.split or split_by_hash(id)
        if split != "train":
            held_out.add(id)
        if split == LEFT_OUT:
            report.drop("photo in none of the split lists", name)
        elif (place := files.find(name)) is None:
            missing += 1
            report.drop("photo missing", name)
        elif id in examples:
            report.drop("photo whose id another one has", f"{name} ({examples[id].photo})")
        elif captions := clean(photo.captions, name, split, report):
            examples[id] = Example(id, name, captions, split)
            places[id] = place
        else:
            report.drop("photo left without captions", name)
    if missing and not examples:
        raise BadData(
            f"{report.source}: none of its {missing:,} photos is in {folder}; name the folder that holds them"
        )
    if not examples:
        raise BadData(f"{report.source}: an empty data set ({report.why() or 'it names no photo'}); check its captions")
    if any(photo.split is None for photo in raw):
        report.notes.append("photos without a split: one in ten is val, chosen by the hash of its id")
    return Dataset(list(examples.values()), report, places, frozenset(held_out))
