"""The criteria for promotion: how much worse a candidate may be in each respect, and findings in words."""

from dataclasses import dataclass

from training.metrics.bootstrap import Comparison
from training.promotion.drift import Drift
from training.promotion.held_out import HeldOut
from training.promotion.verdict import Finding


@dataclass(frozen=True)
class Tolerance:
    """How much worse than the current model a candidate may be, and how sure its gain from feedback must be."""

    cider: float = 0.03  # largest drop of validation CIDEr
    total: float = 0.06  # largest drop of validation CIDEr since the first model
    length: float = 0.3  # largest relative change of the mean caption length
    vocabulary: float = 0.3  # largest relative loss of different words
    commonest: float = 0.15  # largest increase of the share of the 20 most common captions
    repeats: float = 0.05  # largest increase of the share of captions with repetitions
    cut_off: float = 0.0  # largest increase of the share of truncated captions
    corrections: int = 10  # held-out corrections that are needed to judge
    wins: float = 0.9  # share of bootstrap resamples in which held-out corrections must have become likelier


TOLERANCE = Tolerance()


def validation_finding(what: str, cider: Comparison, tolerance: float) -> Finding:
    """Compare CIDEr on validation photos. what: name of the finding."""
    details = f"CIDEr {cider.difference:+.3f} ({cider.low:+.3f} to {cider.high:+.3f}), may fall by {tolerance}"
    return Finding(what, details, cider.difference >= -tolerance)


def drift_findings(before: Drift, after: Drift, tolerance: Tolerance) -> list[Finding]:
    """Compare the captions of the current model and of the candidate."""
    length, vocabulary = after.length / before.length - 1, after.vocabulary / before.vocabulary - 1
    commonest, repeats = after.commonest - before.commonest, after.repeats - before.repeats
    cut_off = after.cut_off - before.cut_off
    return [
        Finding("length", f"{before.length:.1f} to {after.length:.1f} words", abs(length) <= tolerance.length),
        Finding(
            "vocabulary",
            f"{before.vocabulary} to {after.vocabulary} different words",
            vocabulary >= -tolerance.vocabulary,
        ),
        Finding(
            "sameness",
            f"the 20 commonest captions were {before.commonest:.1%} of all and are {after.commonest:.1%}",
            commonest <= tolerance.commonest,
        ),
        Finding(
            "repeats", f"{before.repeats:.1%} to {after.repeats:.1%} repeat themselves", repeats <= tolerance.repeats
        ),
        Finding(
            "breaking off",
            f"{before.cut_off:.1%} to {after.cut_off:.1%} end in mid-phrase",
            cut_off <= tolerance.cut_off,
        ),
    ]


def held_out_findings(held_out: HeldOut, tolerance: Tolerance) -> list[Finding]:
    """Compare the models on held-out feedback; a failed finding if there is too little of it."""
    count = held_out.counts["corrections"]
    if held_out.corrections is None or count < tolerance.corrections:
        details = f"{count} corrections; with fewer than {tolerance.corrections} it cannot be told whether people gain"
        return [Finding("held-out feedback", details, False)]
    gain = held_out.corrections
    findings = [
        Finding(
            "held-out corrections",
            f"{gain.difference:+.3f} nats a word ({gain.low:+.3f} to {gain.high:+.3f}) over {count}, "
            f"likelier in {gain.wins:.0%} of draws, {tolerance.wins:.0%} are needed",
            gain.wins >= tolerance.wins,
        )
    ]
    if thumbs := held_out.thumbs:
        findings.append(
            Finding(
                "held-out thumbs",
                f"{thumbs.difference:+.3f} nats a word for what was liked ({thumbs.low:+.3f} to {thumbs.high:+.3f})",
                thumbs.high >= 0,
            )
        )
    if repeated := held_out.repeated:
        details = (
            f"{repeated[0]:.0%} to {repeated[1]:.0%} of {held_out.counts['disliked']} disliked captions are said again"
        )
        findings.append(Finding("disliked captions", details, repeated[1] <= repeated[0]))
    return findings
