"""Several data sets as one, without letting a photo that one holds out be trained on through another."""

from collections.abc import Sequence

from model.errors import BadData
from training.data.dataset import Dataset, Example
from training.data.identity import photo_key, stricter
from training.data.photo_files import Place
from training.data.report import Report


def mix(datasets: Sequence[Dataset]) -> Dataset:
    """One data set with each photo once, in its strictest split (test, then val); among equals the first counts.

    Photos are the same when `photo_key` says so: Flickr30k contains Flickr8k, its test photos included. What a data
    set holds out but cannot use (missing, or in none of its split lists) is trained on by no other either.
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
