"""Judges whether a candidate may replace the current model: no worse on validation photos, better on feedback.

    result = judge(current, candidate, dataset, feedback)
    result.judgement.passed, result.judgement.findings

The models are compared on validation photos by paired bootstrap, and on feedback that is never trained on. Drift
(length, vocabulary, repetitions, diversity) is checked too, because no metric penalises it.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from model.model_folder import load_model
from training.data import Dataset
from training.evaluation.evaluate import Evaluation, compare_with, evaluate_all
from training.evaluation.predict import InferenceOptions
from training.feedback.dataset import Feedback
from training.metrics.bootstrap import Comparison
from training.promotion.criteria import TOLERANCE, Tolerance, drift_findings, held_out_findings, validation_finding
from training.promotion.drift import drift
from training.promotion.held_out import HeldOut, compare_held_out
from training.promotion.verdict import Judgement


@dataclass(frozen=True)
class JudgeResult:
    """A judgement and the evaluations it is based on."""

    judgement: Judgement
    current: Evaluation
    candidate: Evaluation
    compared: dict[str, Comparison]
    held_out: HeldOut


def judge(
    current: Path,
    candidate: Path,
    dataset: Dataset,
    feedback: Feedback,
    *,
    origin: Path | None = None,
    beams: int = 3,
    limit: int = 0,
    inference: InferenceOptions = InferenceOptions(),  # noqa: B008  (it is frozen)
    tolerance: Tolerance = TOLERANCE,
) -> JudgeResult:
    """Caption the validation photos with both models and judge the candidate.

    Args:
        origin: the first model of the series. The candidate is compared with it too: small losses must not add up.
        limit: number of validation photos; 0 = all.

    Raises:
        BadData: a data set or a held-out photo cannot be used.
        DamagedModel: a folder is not a whole model folder.
    """
    options = {"split": "val", "limit": limit, "inference": inference, "meteor": False}
    origin = origin if origin and load_model(origin).version != load_model(current).version else None
    folders = [current, candidate, *([origin] if origin else [])]
    evaluations = {one.folder: one for one in evaluate_all(folders, dataset, [beams], **options)}
    before, after, *first = (evaluations[folder] for folder in folders)
    compared = compare_with(after, before)
    common = [example.captions for example in dataset.split("val")]
    held_out = compare_held_out(current, candidate, feedback, common, beams=beams)
    findings = [
        validation_finding("validation", compared["cider"], tolerance.cider),
        *(
            validation_finding("since the beginning", compare_with(after, one)["cider"], tolerance.total)
            for one in first
        ),
        *drift_findings(drift(before), drift(after), tolerance),
        *held_out_findings(held_out, tolerance),
    ]
    figures = {
        "validation": {name: one._asdict() for name, one in compared.items()},
        "signatures": [before.signature, after.signature],
        "drift": [dataclasses.asdict(drift(one)) for one in (before, after)],
        "held_out": held_out.to_json(),
        "feedback": feedback.hash,
    }
    judgement = Judgement(before.stored.version, after.stored.version, findings, figures)
    return JudgeResult(judgement, before, after, compared, held_out)
