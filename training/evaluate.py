"""Evaluate a model folder on a split of a data set, with what is needed to trust and to repeat the figures.

dataset = load_dataset(Path("flickr8k"))
evaluation = evaluate(Path("runs/attention/cross_entropy"), dataset, beams=3)
print(evaluation.scores["cider"], evaluation.signature)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model.beam_search import Hypothesis
from model.checkpoint import StoredModel, load_model
from model.confidence import Confidence, caption_features
from model.errors import BadData
from training.data import Dataset, Example
from training.describe import Described, Method, describe
from training.metrics.bleu import bleu_of_totals
from training.metrics.bootstrap import Comparison, compare, resample
from training.metrics.scores import Scores, score
from training.metrics.signature import signature
from training.metrics.tokenizer import VERSION

COMPARED = ("cider", "meteor", "rouge_l", "precision", "recall", "f1")  # means over photos; BLEU is none


@dataclass(frozen=True)
class Evaluation:
    """One model on one split, decoded in one way."""

    folder: Path
    name: str  # of the model, for people
    stored: StoredModel
    dataset: Dataset
    split: str
    beams: int
    length_penalty: float
    examples: list[Example]  # those that were captioned
    found: dict[str, list[Hypothesis]]
    scores: Scores
    signature: str
    notes: list[str]  # what to know before believing the figures

    @property
    def title(self) -> str:
        return f"{self.name}, {'greedy' if self.beams == 1 else f'beam {self.beams}'}"

    def words(self, photo: str) -> list[str]:
        """The caption of the photo with this id."""
        return self.stored.vocabulary.decode(self.found[photo][0].tokens)

    def captions(self) -> list[dict[str, Any]]:
        """One object a photo, for JSON Lines. The confidence is null in a model that has none fitted."""
        fitted = None if self.stored.confidence is None else Confidence.from_json(self.stored.confidence)
        return [
            {
                "photo": example.photo,
                "caption": " ".join(self.words(example.id)),
                "references": [" ".join(reference) for reference in example.captions],
                "confidence": fitted and round(fitted.good(caption_features(self.found[example.id])), 4),
                "cider": round(float(cider), 4),
            }
            for example, cider in zip(self.examples, self.scores.per_photo["cider"], strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """What metrics.json holds."""
        told = {"model": self.name, "version": self.stored.version, "decoder": self.stored.config.decoder}
        how = {"split": self.split, "beams": self.beams, "length_penalty": self.length_penalty}
        return told | how | {"signature": self.signature, **self.scores.to_json(), "notes": self.notes}


def evaluate(
    folder: Path,
    dataset: Dataset,
    *,
    split: str = "val",
    beams: int = 3,
    limit: int = 0,
    method: Method = Method(),  # noqa: B008  (it is frozen)
    meteor: bool = True,
    name: str = "",
) -> Evaluation:
    """Caption the first `limit` photos of a split (0 = all) and score the sentences. Raises BadData, DamagedModel."""
    stored = load_model(folder)
    examples = dataset.split(split)[: limit or None]
    if not examples:
        raise BadData(f"{dataset.report.source} has no photos in its {split} split")
    described = describe(folder, stored, dataset, examples, beams, method)
    examples = [example for example in examples if example.id in described.found]
    said = {photo: stored.vocabulary.decode(sentences[0].tokens) for photo, sentences in described.found.items()}
    scores = score(said, {example.id: example.captions for example in examples}, meteor=meteor)
    return Evaluation(
        folder=folder,
        name=name or folder.name,
        stored=stored,
        dataset=dataset,
        split=split,
        beams=beams,
        length_penalty=stored.config.length_penalty if method.length_penalty is None else method.length_penalty,
        examples=examples,
        found=described.found,
        scores=scores,
        signature=signature(split, len(examples), beams, VERSION, stored.version, dataset.hash),
        notes=_notes(stored, dataset, split, limit, described, scores),
    )


def evaluate_all(folders: Sequence[Path], dataset: Dataset, beams: Sequence[int], **options: Any) -> list[Evaluation]:
    """Each model with each number of beams. options: as of `evaluate`."""
    folders = list(dict.fromkeys(folders))
    names = dict(zip(folders, short_names(folders), strict=True))
    return [
        evaluate(folder, dataset, beams=width, name=names[folder], **options) for folder in folders for width in beams
    ]


def compare_with(one: Evaluation, other: Evaluation, *, resamples: int = 1000, seed: int = 0) -> dict[str, Comparison]:
    """`one` less `other`, metric by metric, by paired bootstrap. Raises BadData unless both are of the same photos."""
    if one.scores.photos != other.scores.photos:
        raise BadData(f"{one.title} and {other.title} cannot be compared: they did not caption the same photos")
    draws = resample(len(one.examples), resamples, seed)
    a, b = one.scores.per_photo, other.scores.per_photo
    compared = {name: compare(a[name], b[name], draws) for name in COMPARED if name in a and name in b}
    return {"bleu_4": compare(a["bleu"], b["bleu"], draws, partial(_bleu_4))} | compared


def short_names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of paths that tell the folders apart: attention/cross_entropy, pooled/cross_entropy."""
    paths = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(path[-length:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            break
    return names


def _bleu_4(totals: np.ndarray) -> np.ndarray:
    return bleu_of_totals(totals)[..., 3]


def _notes(
    stored: StoredModel, dataset: Dataset, split: str, limit: int, described: Described, scores: Scores
) -> list[str]:
    notes = []
    run = stored.metrics.get("training", stored.metrics)  # a bundled model keeps its run's figures there
    if split == "val" and "epoch" in run and run.get("data", dataset.hash) == dataset.hash:
        notes.append(f"these photos chose the checkpoint (epoch {run['epoch']}): expect a little less on others")
    if limit:
        notes.append(f"only the first {limit} photos of the split; CIDEr's IDF comes from them alone")
    if described.broken:
        notes.append(f"{len(described.broken)} photos left out, first {next(iter(described.broken.values()))}")
    notes += [f"no {name}: {reason}" for name, reason in scores.missing.items()]
    return notes
