"""Merges data sets without training on a photo that any of them holds out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from model.errors import BadData
from training.data.dataset import Dataset, Example, dataset_name, load_dataset
from training.data.identity import photo_key, stricter
from training.data.lookalikes import without_lookalikes
from training.data.photo_files import Place
from training.data.report import Report


def load_mixture(paths: Sequence[Path], *, format: str = "auto") -> Dataset:
    """Read one data set, or several as one. Photos that look like those which another one holds out are left out too.

    Args:
        paths: as of `load_dataset`.

    Raises:
        BadData: what is wrong with a data set.
    """
    names = Counter(map(dataset_name, paths))
    if names.total() > len(names):
        name = names.most_common(1)[0][0]
        raise BadData(f"two data sets are called {name}; rename a folder, because their names tell them apart")
    datasets = [load_dataset(path, format=format) for path in paths]
    return datasets[0] if len(datasets) == 1 else without_lookalikes(mix(datasets))


def mix(datasets: Sequence[Dataset]) -> Dataset:
    """Merge data sets. Each photo is there once, in its strictest split (test before val before train).

    Two photos are the same if their `photo_key` is: Flickr30k contains Flickr8k, its test photos included. If several
    data sets have a photo in the same split, the first one's captions are used. Photos that a data set holds out but
    cannot use (missing, or in none of its split lists) are not trained on either.
    """
    if not datasets:
        raise BadData("nothing to mix; name at least one data set")
    report = _joined([dataset.report for dataset in datasets])
    held_out = {photo_key(id) for dataset in datasets for id in dataset.held_out}
    strictest: dict[str, str] = {}
    for example in (example for dataset in datasets for example in dataset.examples):
        key = photo_key(example.id)
        strictest[key] = stricter(strictest.get(key, "train"), example.split)
    taken: dict[str, Example] = {}
    places: dict[str, Place] = {}
    for dataset in datasets:
        for example in dataset.examples:
            key = photo_key(example.id)
            if example.split == "train" and key in held_out:
                report.drop("training photo that another data set holds out", example.photo)
            elif key in taken or example.split != strictest[key]:
                report.drop("photo that another data set has, too", example.photo)
            else:
                taken[key] = example
                places[example.id] = dataset.places[example.id]
    return Dataset(list(taken.values()), report, places, frozenset(held_out))


def _joined(reports: Sequence[Report]) -> Report:
    joined = Report(" + ".join(report.source for report in reports), " + ".join(report.format for report in reports))
    for report in reports:
        joined.read = joined.read[0] + report.read[0], joined.read[1] + report.read[1]
        for reason, dropped in report.dropped.items():
            joined.dropped.setdefault(reason, []).extend(dropped)
        joined.notes += [note for note in report.notes if note not in joined.notes]
    return joined
