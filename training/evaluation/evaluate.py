"""Evaluates a model folder on a split of a data set, with confidence intervals and a signature of what was measured.

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

from model.confidence import Confidence, caption_features
from model.errors import BadData
from model.hypotheses import Hypothesis
from model.model_folder import StoredModel, load_model
from training.data import Dataset, Example
from training.evaluation.predict import InferenceOptions, Predictions, predict
from training.metrics.bleu import bleu_of_totals
from training.metrics.bootstrap import Comparison, compare, resample
from training.metrics.scores import Scores, score
from training.metrics.signature import signature
from training.metrics.tokenizer import VERSION

COMPARED = ("cider", "meteor", "rouge_l", "precision", "recall", "f1")  # means over photos, which BLEU is not


@dataclass(frozen=True)
class Evaluation:
    """The result of one model on one split, decoded with one number of beams."""

    folder: Path
    name: str  # of the model, to show
    stored: StoredModel
    dataset: Dataset
    split: str
    beams: int
    length_penalty: float
    examples: list[Example]  # those that could be read
    hypotheses: dict[str, list[Hypothesis]]  # photo id -> captions, best first
    scores: Scores
    signature: str
    notes: list[str]  # what limits the validity of the scores

    @property
    def title(self) -> str:
        return f"{self.name}, {'greedy' if self.beams == 1 else f'beam {self.beams}'}"

    def words(self, photo: str) -> list[str]:
        """The words of the caption of the photo with this id."""
        return self.stored.vocabulary.decode(self.hypotheses[photo][0].tokens)

    def captions(self) -> list[dict[str, Any]]:
        """One JSON object for each photo. The confidence is None if none was fitted for the model."""
        fitted = None if self.stored.confidence is None else Confidence.from_json(self.stored.confidence)
        return [
            {
                "photo": example.photo,
                "caption": " ".join(self.words(example.id)),
                "references": [" ".join(reference) for reference in example.captions],
                "confidence": fitted and round(fitted.good(caption_features(self.hypotheses[example.id])), 4),
                "cider": round(float(cider), 4),
            }
            for example, cider in zip(self.examples, self.scores.per_photo["cider"], strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """The content of metrics.json."""
        model = {"model": self.name, "version": self.stored.version, "decoder": self.stored.config.decoder}
        decoding = {"split": self.split, "beams": self.beams, "length_penalty": self.length_penalty}
        return model | decoding | {"signature": self.signature, **self.scores.to_json(), "notes": self.notes}


def evaluate(
    folder: Path,
    dataset: Dataset,
    *,
    split: str = "val",
    beams: int = 3,
    limit: int = 0,
    inference: InferenceOptions = InferenceOptions(),  # noqa: B008  (it is frozen)
    meteor: bool = True,
    name: str = "",
) -> Evaluation:
    """Caption the photos of a split and score the captions.

    Args:
        limit: number of photos, the first ones of the split; 0 = all.
        name: of the model, to show; the folder's name by default.

    Raises:
        BadData: the split is empty.
        DamagedModel: the folder is not a whole model folder, or has no encoder and `inference` names none.
    """
    stored = load_model(folder)
    examples = dataset.split(split)[: limit or None]
    if not examples:
        raise BadData(f"{dataset.report.source} has no photos in its {split} split")
    predictions = predict(folder, stored, dataset, examples, beams, inference)
    examples = [example for example in examples if example.id in predictions.hypotheses]
    captions = {
        photo: stored.vocabulary.decode(sentences[0].tokens) for photo, sentences in predictions.hypotheses.items()
    }
    scores = score(captions, {example.id: example.captions for example in examples}, meteor=meteor)
    return Evaluation(
        folder=folder,
        name=name or folder.name,
        stored=stored,
        dataset=dataset,
        split=split,
        beams=beams,
        length_penalty=stored.config.length_penalty if inference.length_penalty is None else inference.length_penalty,
        examples=examples,
        hypotheses=predictions.hypotheses,
        scores=scores,
        signature=signature(split, len(examples), beams, VERSION, stored.version, dataset.hash),
        notes=_notes(stored, dataset, split, limit, predictions, scores),
    )


def evaluate_all(folders: Sequence[Path], dataset: Dataset, beams: Sequence[int], **options: Any) -> list[Evaluation]:
    """Evaluate each model with each number of beams. The options are those of `evaluate`."""
    folders = list(dict.fromkeys(folders))
    names = dict(zip(folders, short_names(folders), strict=True))
    return [
        evaluate(folder, dataset, beams=width, name=names[folder], **options) for folder in folders for width in beams
    ]


def compare_with(one: Evaluation, other: Evaluation, *, resamples: int = 1000, seed: int = 0) -> dict[str, Comparison]:
    """Compare two evaluations by paired bootstrap: metric -> `one` minus `other`.

    Raises:
        BadData: they are not of the same photos.
    """
    if one.scores.photos != other.scores.photos:
        raise BadData(f"{one.title} and {other.title} cannot be compared: they did not caption the same photos")
    draws = resample(len(one.examples), resamples, seed)
    a, b = one.scores.per_photo, other.scores.per_photo
    compared = {name: compare(a[name], b[name], draws) for name in COMPARED if name in a and name in b}
    return {"bleu_4": compare(a["bleu"], b["bleu"], draws, partial(_bleu_4))} | compared


def short_names(folders: Sequence[Path]) -> list[str]:
    """The shortest path suffixes that are unique: attention/cross_entropy, pooled/cross_entropy."""
    paths = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(path[-length:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            break
    return names


def _bleu_4(totals: np.ndarray) -> np.ndarray:
    return bleu_of_totals(totals)[..., 3]


def _notes(
    stored: StoredModel, dataset: Dataset, split: str, limit: int, predictions: Predictions, scores: Scores
) -> list[str]:
    notes = []
    run = stored.metrics.get("training", stored.metrics)  # a bundled model keeps its run's metrics there
    if split == "val" and isinstance(run, dict) and "epoch" in run and run.get("data", dataset.hash) == dataset.hash:
        notes.append(f"these photos chose the checkpoint (epoch {run['epoch']}): expect a little less on others")
    if limit:
        notes.append(f"only the first {limit} photos of the split; CIDEr's IDF comes from them alone")
    if predictions.unreadable:
        notes.append(
            f"{len(predictions.unreadable)} photos left out, first {next(iter(predictions.unreadable.values()))}"
        )
    notes += [f"no {name}: {reason}" for name, reason in scores.missing.items()]
    return notes
