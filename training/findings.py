"""What is looked at before a candidate may serve, how much it may lose, and what was found, in words."""

from dataclasses import dataclass

from training.drift import Drift
from training.held_out import HeldOut
from training.judgement import Finding
from training.metrics.bootstrap import Comparison


@dataclass(frozen=True)
class Tolerance:
    """What a candidate may lose, and what it must win. Lengths and shares are compared with the current model's."""

    cider: float = 0.03  # that validation may fall by
    total: float = 0.06  # that it may fall by from the model with which it all began
    length: float = 0.3  # share by which sentences may get shorter or longer
    vocabulary: float = 0.3  # share of its words that it may no longer use
    commonest: float = 0.15  # by which the share of the 20 most common captions may grow
    repeats: float = 0.05  # by which the share of captions that repeat themselves may grow
    cut_off: float = 0.0  # by which the share of captions that end in mid-phrase may grow
    corrections: int = 10  # held-out corrections below which nothing can be said
    sure: float = 0.9  # share of bootstrap draws in which held-out corrections must have become likelier


TOLERANCE = Tolerance()


def validation_finding(what: str, cider: Comparison, tolerance: float) -> Finding:
    told = f"CIDEr {cider.difference:+.3f} ({cider.low:+.3f} to {cider.high:+.3f}), may fall by {tolerance}"
    return Finding(what, told, cider.difference >= -tolerance)


def drift_findings(before: Drift, after: Drift, tolerance: Tolerance) -> list[Finding]:
    shorter, fewer = after.length / before.length - 1, after.vocabulary / before.vocabulary - 1
    commoner, repeats = after.commonest - before.commonest, after.repeats - before.repeats
    cut_off = after.cut_off - before.cut_off
    return [
        Finding("length", f"{before.length:.1f} to {after.length:.1f} words", abs(shorter) <= tolerance.length),
        Finding(
            "vocabulary", f"{before.vocabulary} to {after.vocabulary} different words", fewer >= -tolerance.vocabulary
        ),
        Finding(
            "sameness",
            f"the 20 commonest captions were {before.commonest:.1%} of all and are {after.commonest:.1%}",
            commoner <= tolerance.commonest,
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
    count = held_out.counts["corrections"]
    if held_out.corrections is None or count < tolerance.corrections:
        told = f"{count} corrections; with fewer than {tolerance.corrections} it cannot be told whether people gain"
        return [Finding("held-out feedback", told, False)]
    gained = held_out.corrections
    findings = [
        Finding(
            "held-out corrections",
            f"{gained.difference:+.3f} nats a word ({gained.low:+.3f} to {gained.high:+.3f}) over {count}, "
            f"likelier in {gained.wins:.0%} of draws, {tolerance.sure:.0%} are needed",
            gained.wins >= tolerance.sure,
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
    if again := held_out.again:
        told = f"{again[0]:.0%} to {again[1]:.0%} of {held_out.counts['disliked']} disliked captions are said again"
        findings.append(Finding("disliked captions", told, again[1] <= again[0]))
    return findings
