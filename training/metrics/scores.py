"""All metrics of a set of captions, with confidence intervals."""

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
from training.metrics.objects import hallucinated
from training.metrics.overlap import overlap
from training.metrics.rouge import rouge_l

Photo = TypeVar("Photo", bound=Hashable)

# of metrics, in tables
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
    "words_used": "different words",
    "hallucinated": "captions with an unnamed object",
}

COUNTS = ("words_used",)  # metrics that are whole numbers


@dataclass(frozen=True)
class Scores:
    """The result of `score`.

    Attributes:
        figures: name -> value and 95 % interval of each metric: bleu_1 to bleu_4, meteor (absent without Java),
            rouge_l, cider, precision, recall, f1, smoothed_bleu (NLTK's method 1; not comparable with papers),
            mean_length (words), distinct (share of different captions), most_common (share of the commonest one),
            words_used (how many different words all captions use) and hallucinated (share of captions that name a
            common object which no reference names).
        photos: the photos in the order of the rows of `per_photo`.
        per_photo: name -> (photos,), of metrics that have a value for each photo; and bleu (photos, 9), the counts for
            `bleu_of_totals`, with which two systems can be compared later.
        missing: name -> why a metric was not computed.
    """

    figures: dict[str, Interval]
    photos: list[Hashable]
    per_photo: dict[str, np.ndarray]
    missing: dict[str, str]

    def __getitem__(self, name: str) -> float:
        """The value of a metric: `scores["cider"]`."""
        return self.figures[name].value

    def to_json(self) -> dict:
        """The metrics as JSON values, without those of single photos."""
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
    """Score one tokenised caption of each photo against its tokenised references (see `tokenizer.tokenize`).

    References of photos without a hypothesis are ignored, so that part of a split can be scored; CIDEr's IDF then comes
    from that part. Without METEOR a thousand photos take two seconds.

    Raises:
        BadData: there are no captions, or no references for one of them.
    """
    photos = list(hypotheses)
    captions, reference_lists = list(hypotheses.values()), [references.get(photo, ()) for photo in photos]
    if not photos:
        raise BadData("there are no captions to score")
    if without := [photo for photo, sentences in zip(photos, reference_lists, strict=True) if not sentences]:
        raise BadData(f"{len(without)} captioned photos have no reference captions, the first is {without[0]}")

    draws = resample(len(photos), resamples, seed)
    precision, recall, f1 = overlap(captions, reference_lists).T
    per_photo = {
        "rouge_l": rouge_l(captions, reference_lists),
        "cider": cider(captions, reference_lists),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "smoothed_bleu": smoothed_bleu(captions, reference_lists),
        "mean_length": np.array([len(caption) for caption in captions], float),
        "hallucinated": hallucinated(captions, reference_lists),
    }
    missing: dict[str, str] = {}
    figures = {name: interval(values, draws) for name, values in per_photo.items()}
    statistics = bleu_statistics(captions, reference_lists)
    for n in range(4):
        figures[f"bleu_{n + 1}"] = interval(statistics, draws, partial(_bleu, n))
    if meteor:
        counts, reason = meteor_statistics(captions, reference_lists)
        if counts is None:
            missing["meteor"] = reason
        else:
            figures["meteor"] = interval(counts, draws, meteor_of_totals)
            per_photo["meteor"] = meteor_of_totals(counts)
    figures |= _diversity(captions)
    return Scores(figures, [*photos], per_photo | {"bleu": statistics}, missing)


def _bleu(n: int, totals: np.ndarray) -> np.ndarray:
    return bleu_of_totals(totals)[..., n]


def _diversity(captions: Sequence[Sequence[str]]) -> dict[str, Interval]:
    """How different the captions are. No intervals: a resample repeats photos, and so their captions."""
    counts = Counter(tuple(caption) for caption in captions)
    return {
        "distinct": Interval(len(counts) / len(captions), None, None),
        "most_common": Interval(counts.most_common(1)[0][1] / len(captions), None, None),
        "words_used": Interval(float(len({word for caption in captions for word in caption})), None, None),
    }
