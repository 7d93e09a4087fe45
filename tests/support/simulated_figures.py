"""What simulated people make of a model, and the table of that."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.model_folder import load_model
from tests.support.simulated_people import Simulation, likes
from training.data import Dataset, Example
from training.evaluation.predict import InferenceOptions, predict
from training.metrics.bootstrap import compare, resample

Captions = dict[str, tuple[str, ...]]  # photo -> words
Figures = dict[str, Any]
TABLE = """\
| | approval, points | CIDEr (95 %) | said again | in mid-phrase | CPU seconds |
|---|---|---|---|---|---|"""


def half(example: Example) -> int:
    return hashlib.sha256(example.id.encode()).digest()[-1] % 2


def disliked_captions(people: Simulation) -> list[tuple[str, tuple[str, ...]]]:
    """Photo and words of the first sentences that more people voted down than up."""
    net: dict[str, int] = {}
    for _, caption, _, value in people.votes:
        net[caption] = net.get(caption, 0) + value
    first = {id: (photo, words) for photo, ((id, words), *_) in people.shown.items()}
    return [first[caption] for caption, votes in net.items() if votes < 0 and caption in first]


def captions_of(model: Path, dataset: Dataset, examples: Sequence[Example]) -> Captions:
    """What a model says of photos, as it serves."""
    stored = load_model(model)
    found = predict(model, stored, dataset, examples, 3, InferenceOptions()).hypotheses
    return {photo: tuple(stored.vocabulary.decode(sentences[0].tokens)) for photo, sentences in found.items()}


def approval(said: Captions, examples: Sequence[Example]) -> float:
    return float(np.mean([likes(said[example.id], example.captions) for example in examples]))


def row_of(name: str, rows: Sequence[Figures]) -> str:
    """A row of TABLE: means and deviations over seeds. CIDEr has the interval over photos, each with its mean."""
    gains = [100 * (row["approval"][1] - row["approval"][0]) for row in rows]
    change = np.mean([row["change"] for row in rows], axis=0)
    cider = compare(change, np.zeros_like(change), resample(len(change), 1000, 0))
    again = np.mean([row["said again"] for row in rows], axis=0)
    cut_off, seconds = sum(row["cut off"] for row in rows), np.mean([row["seconds"] for row in rows])
    return (
        f"| {name} | {np.mean(gains):+.1f} ± {np.std(gains):.1f} "
        f"| {cider.difference:+.3f} ± {np.std([row['cider'][1] for row in rows]):.3f} "
        f"({cider.low:+.3f} to {cider.high:+.3f}) | {again[0]:.0%} to {again[1]:.0%} | {cut_off} | {seconds:.0f} |"
    )
