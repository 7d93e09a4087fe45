"""Whether a candidate may serve instead of the current model: no worse on validation photos, better for the people.

    judgement = judge(current, candidate, dataset, feedback)
    judgement.passed, judgement.findings

Validation is compared by paired bootstrap over photos. Feedback that is held out for ever says whether people would
like the candidate better. Drift (length, vocabulary, repeats, sameness) is looked at because no metric punishes it.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import load_model
from training.data import Dataset
from training.describe import Method
from training.drift import drift
from training.evaluate import Evaluation, compare_with, evaluate_all
from training.feedback import Feedback
from training.findings import TOLERANCE, Tolerance, drift_findings, held_out_findings, validation_finding
from training.held_out import HeldOut, compare_held_out
from training.judgement import Judgement
from training.metrics.bootstrap import Comparison


@dataclass(frozen=True)
class Case:
    """All that was found out about a candidate."""

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
    method: Method = Method(),  # noqa: B008  (it is frozen)
    tolerance: Tolerance = TOLERANCE,
) -> Case:
    """Caption validation photos with both models and judge the second. limit: only so many photos; 0 = all.

    origin: the model with which it all began; the candidate is compared with it too, lest small losses add up.
    """
    options = {"split": "val", "limit": limit, "method": method, "meteor": False}
    origin = origin if origin and load_model(origin).version != load_model(current).version else None
    folders = [current, candidate, *([origin] if origin else [])]
    found = {one.folder: one for one in evaluate_all(folders, dataset, [beams], **options)}
    before, after, *first = (found[folder] for folder in folders)
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
    return Case(judgement, before, after, compared, held_out)
