"""A data set of captioned photos, independent of the format it was stored in.

dataset = load_dataset(Path("flickr8k"))
print(dataset.report)
for example in dataset.split("train"):
    dataset.photo_bytes(example), example.captions
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.errors import BadData, UnreadablePhoto
from training.data import coco, custom, flickr8k, flickr30k, karpathy
from training.data.cleaning import clean, mentions_side
from training.data.identity import LEFT_OUT, SPLITS, photo_id, split_by_hash
from training.data.photo_files import PhotoFiles, Place
from training.data.raw import HUMAN, RawPhoto, Reader
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
    """One photo and its reference captions."""

    id: str  # the same in every copy of the data set: "1000268201_693b08cb0e"
    photo: str  # name of its file
    captions: tuple[tuple[str, ...], ...]  # tokenised and cleaned
    split: str  # train, val or test
    sources: tuple[str, ...] = ()  # of each caption, one of raw.SOURCES; empty: people wrote them all
    dataset: str = ""  # name of the data set that it comes from

    @property
    def caption_sources(self) -> tuple[str, ...]:
        """The source of each caption."""
        return self.sources or (HUMAN,) * len(self.captions)

    @property
    def mirrorable(self) -> bool:
        """Whether the captions are true of the mirrored photo too: none mentions left or right."""
        return not any(map(mentions_side, self.captions))


class Dataset:
    """Examples with distinct ids, in the order of their source, and access to their photos."""

    def __init__(
        self,
        examples: list[Example],
        report: Report,
        places: Mapping[str, Place],
        held_out: frozenset[str] = frozenset(),
    ):
        """Put a data set together.

        Args:
            places: photo id -> where its bytes are.
            held_out: ids never to train on, whether or not they are among the examples.
        """
        self.examples = examples
        self.report = report
        self.places = places
        self.held_out = held_out
        for split in SPLITS:
            kept = self.split(split)
            report.splits[split] = len(kept), sum(len(example.captions) for example in kept)
        if any(example.sources for example in examples):
            report.sources = dict(Counter(source for example in examples for source in example.caption_sources))

    def split(self, name: str) -> list[Example]:
        """Examples of train, val or test. Raises BadData for any other name."""
        if name not in SPLITS:
            raise BadData(f"there is no split {name!r}; choose one of {', '.join(SPLITS)}")
        return [example for example in self.examples if example.split == name]

    def photo_bytes(self, example: Example) -> bytes:
        """Content of the photo's file. Thread-safe. Raises UnreadablePhoto."""
        place = self.places.get(example.id)
        if place is None:
            raise UnreadablePhoto(f"{example.photo}: this data set does not have it")
        return place.read()

    @cached_property
    def hash(self) -> str:
        """12 hex digits over ids, splits and captions, independent of their order. Part of a score's signature."""
        digest = hashlib.sha256()
        for example in sorted(self.examples, key=lambda example: example.id):
            digest.update(json.dumps([example.id, example.split, example.captions]).encode())
        return digest.hexdigest()[:12]


def load_dataset(path: Path, *, format: str = "auto", photos: Path | None = None) -> Dataset:
    """Read a data set, clean its captions and find its photos.

    Args:
        path: its folder, or its caption file.
        format: a key of READERS, or auto to detect it from the files that are there.
        photos: folder of the photos or of their tar archives, or one archive; None if they are beside the captions.

    Raises:
        BadData: what is wrong with the data set.
    """
    name, files = _detect(path, format)
    report = Report(str(path), name)
    raw = READERS[name].read(files, report)
    folder = photos or (path if path.is_dir() else path.parent)
    return _assemble(raw, PhotoFiles(folder), folder, dataset_name(path), report)


def dataset_name(path: Path) -> str:
    """The name of the data set at `path`: that of its folder."""
    return (path if path.is_dir() else path.parent).resolve().name


def _detect(path: Path, format: str) -> tuple[str, list[Path]]:
    """Detect the format, and find the caption files."""
    if not path.exists():
        raise BadData(f"{path}: no such file or folder")
    if format not in ("auto", *READERS):
        raise BadData(f"there is no format {format!r}; choose one of auto, {', '.join(READERS)}")
    readers = READERS if format == "auto" else {format: READERS[format]}
    found = {name: files for name, reader in readers.items() if (files := reader.find(path))}
    if not found:
        wanted = "; ".join(f"{name}: {reader.CAPTION_FILES}" for name, reader in readers.items())
        raise BadData(f"{path}: no captions found. Looked for {wanted}")
    if len(found) > 1:
        raise BadData(f"{path} holds several data sets ({', '.join(found)}); say which format to read")
    return found.popitem()


def _assemble(raw: list[RawPhoto], files: PhotoFiles, folder: Path, dataset: str, report: Report) -> Dataset:
    """Clean captions, assign splits and find photos; each photo that is dropped is named in the report."""
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
        elif kept := clean(photo, split, report):
            captions, sources = zip(*kept, strict=True)
            examples[id] = Example(id, name, captions, split, sources if photo.sources else (), dataset)
            places[id] = place
        else:
            report.drop("photo left without captions", name)
    if missing and not examples:
        raise BadData(
            f"{report.source}: none of its {missing:,} photos is in {folder}; name the folder that holds them"
        )
    if not examples:
        raise BadData(
            f"{report.source}: an empty data set ({report.summary() or 'it names no photo'}); check its captions"
        )
    if any(photo.split is None for photo in raw):
        report.notes.append("photos without a split: one in ten is val, chosen by the hash of its id")
    return Dataset(list(examples.values()), report, places, frozenset(held_out))
