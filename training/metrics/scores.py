"""All metrics of a set of captions at once, with intervals."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from model.errors import BadData
from training.metrics.bleu import bleu_of_totals, bleu_statistics, smoothed_bleu
from training.metrics.bootstrap import Interval, interval, resample
from training.metrics.cider import cider
from training.metrics.meteor import meteor_of_totals, meteor_statistics
from training.metrics.overlap import overlap
from training.metrics.rouge import rouge_l

Photo = TypeVar("Photo", bound=Hashable)


TITLES = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "smoothed_bleu": "smoothed BLEU*",
    "mean_length": "words",
    "distinct": "different captions",
    "most_common": "commonest caption",
}  # of each figure, as tables head it


@dataclass(frozen=True)
class Scores:
    """What `score` found.

    figures: each metric's value with its 95 % interval, by name: bleu_1 to bleu_4, meteor (absent without Java),
        rouge_l, cider, precision, recall, f1, smoothed_bleu (NLTK's method 1; not comparable with papers),
        mean_length (words), distinct (share of different captions) and most_common (share of the commonest one).
    photos: the photos in the order of the rows of `per_photo`.
    per_photo: name -> (photos,), for metrics that have a value for each photo; and bleu (photos, 9), the counts that
        `bleu_of_totals` takes, so that two systems can be compared later.
    missing: name -> why that metric was not computed.
    """

    figures: dict[str, Interval]
    photos: list[Hashable]
    per_photo: dict[str, np.ndarray]
    missing: dict[str, str]

    def __getitem__(self, name: str) -> float:
        """The value alone: `scores["cider"]`."""
        return self.figures[name].value

    def to_json(self) -> dict:
        """The figures as plain values, without the photos."""
        figures = {name: figure._asdict() for name, figure in self.figures.items()}
        return {"photos": len(self.photos), "figures": figures, "missing": self.missing}


def score(
    hypotheses: Mapping[Photo, Sequence[str]],
    references: Mapping[Photo, Sequence[Sequence[str]]],
    *,
    meteor: bool = True,
    resamples: int = 1000,
    seed: int = 0,
) -> Scores:
    """Score one tokenised caption a photo against that photo's tokenised references (see `tokenizer.tokenize`).

    References of photos without a hypothesis are not looked at, so a part of a split can be scored; CIDEr's IDF then
    comes from that part. Without METEOR, a thousand photos take two seconds. Raises BadData when there is nothing to
    score, or a hypothesis has no references.
    """
    photos = list(hypotheses)
    said, truth = list(hypotheses.values()), [references.get(photo, ()) for photo in photos]
    if not photos:
        raise BadData("there are no captions to score")
    if lacking := [photo for photo, sentences in zip(photos, truth, strict=True) if not sentences]:
        raise BadData(f"{len(lacking)} captioned photos have no reference captions, the first is {lacking[0]}")

    draws = resample(len(photos), resamples, seed)
    precision, recall, f1 = overlap(said, truth).T
    per_photo = {
        "rouge_l": rouge_l(said, truth),
        "cider": cider(said, truth),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "smoothed_bleu": smoothed_bleu(said, truth),
        "mean_length": np.array([len(caption) for caption in said], float),
    }
    missing: dict[str, str] = {}
    figures = {name: interval(values, draws) for name, values in per_photo.items()}
    statistics = bleu_statistics(said, truth)
    for n in range(4):
        figures[f"bleu_{n + 1}"] = interval(statistics, draws, partial(_bleu, n))
    if meteor:
        counts, reason = meteor_statistics(said, truth)
        if counts is None:
            missing["meteor"] = reason
        else:
            figures["meteor"] = interval(counts, draws, meteor_of_totals)
            per_photo["meteor"] = meteor_of_totals(counts)
    figures |= _variety(said)
    return Scores(figures, [*photos], per_photo | {"bleu": statistics}, missing)


def _bleu(n: int, totals: np.ndarray) -> np.ndarray:
    return bleu_of_totals(totals)[..., n]


def _variety(captions: Sequence[Sequence[str]]) -> dict[str, Interval]:
    """How often the model says the same. No intervals: a resample repeats photos, and with them captions."""
    counts = Counter(tuple(caption) for caption in captions)
    return {
        "distinct": Interval(len(counts) / len(captions), None, None),
        "most_common": Interval(counts.most_common(1)[0][1] / len(captions), None, None),
    }
