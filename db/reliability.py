"""How far a person's votes are believed: less from who votes one way, in bursts, in masses, or against the others.

Agreement is weighed as in the one-coin model of Dawid and Skene (1979): a caption's worth is what its other voters say,
each weighed by how far they are believed, and that in turn is how often they agreed. Ten rounds settle it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

ONE_WAY, ONE_WAY_SHARE, ONE_WAY_WEIGHT = 20, 0.95, 0.2  # votes from which on somebody is judged by such a share
BURST, BURST_TIME, BURST_WEIGHT = 20, timedelta(minutes=1), 0.2  # more than a person reads in that time
MASS, MASS_SHARE = 50, 0.1  # nobody's votes count for more than this share of all, once they have that many
# Two honest people who are right four times in five agree in 0.68 of cases. Before anything is seen, everybody is
# believed to be so, as firmly as by PRIOR agreements. Who agrees no more often than a coin counts for nothing.
HONEST, COIN, PRIOR = 2 / 3, 0.5, 20.0
AGREES_SELDOM = 0.5  # a weight from agreement below which it is listed
SUSPICIOUS = 0.3  # a weight below which corrections are quarantined, too
ROUNDS = 10


class Cast(NamedTuple):
    """One vote, by whom on which caption."""

    person: int
    caption: int
    value: int  # 1 or -1
    at: datetime


@dataclass(frozen=True)
class Reliability:
    """How much each of a person's votes counts, 0 to 1, and why it is not 1."""

    weight: float
    votes: int
    agreement: float  # with the others, 0 to 1, drawn to what is expected of honest people
    reasons: tuple[str, ...] = ()


def reliability(votes: Sequence[Cast]) -> dict[int, Reliability]:
    """Person -> reliability. The order of the votes does not matter."""
    by_person: dict[int, list[Cast]] = defaultdict(list)
    for vote in sorted(votes):
        by_person[vote.person].append(vote)
    habits = {person: _habits(cast, len(votes)) for person, cast in by_person.items()}
    prior = {person: weight for person, (weight, _) in habits.items()}
    agreement = dict.fromkeys(by_person, HONEST)
    for _ in range(ROUNDS):
        weights = {person: prior[person] * _believed(agreement[person]) for person in by_person}
        agreement = _agreement(by_person, weights)
    found = {}
    for person, cast in by_person.items():
        weight, reasons = habits[person]
        if (believed := _believed(agreement[person])) < AGREES_SELDOM:
            reasons = [*reasons, f"agrees with others in {agreement[person]:.0%} of cases"]
        found[person] = Reliability(round(weight * believed, 4), len(cast), round(agreement[person], 4), (*reasons,))
    return found


def _habits(cast: Sequence[Cast], total: int) -> tuple[float, list[str]]:
    """A weight from how somebody votes, whatever they vote on, and what was noticed."""
    count, weight, reasons = len(cast), 1.0, []
    up = sum(vote.value > 0 for vote in cast)
    if count >= ONE_WAY and max(up, count - up) >= ONE_WAY_SHARE * count:
        weight *= ONE_WAY_WEIGHT
        reasons.append(f"{max(up, count - up)} of {count} votes are thumbs {'up' if up > count - up else 'down'}")
    if (burst := _longest_burst(sorted(vote.at for vote in cast))) > BURST:
        weight *= BURST_WEIGHT
        reasons.append(f"{burst} votes within a minute")
    if count > max(MASS, MASS_SHARE * total):
        weight *= max(MASS, MASS_SHARE * total) / count
        reasons.append(f"{count} of all {total} votes")
    return weight, reasons


def _longest_burst(times: Sequence[datetime]) -> int:
    """The most votes in any stretch of BURST_TIME. times: sorted."""
    longest = start = 0
    for end, time in enumerate(times):
        while time - times[start] > BURST_TIME:
            start += 1
        longest = max(longest, end - start + 1)
    return longest


def _agreement(by_person: Mapping[int, Sequence[Cast]], weights: Mapping[int, float]) -> dict[int, float]:
    """Person -> share of their votes that the others on the same captions share, drawn to HONEST."""
    verdicts: dict[int, float] = defaultdict(float)
    for person, cast in by_person.items():
        for vote in cast:
            verdicts[vote.caption] += weights[person] * vote.value
    found = {}
    for person, cast in by_person.items():
        agreed = seen = 0.0
        for vote in cast:
            others = verdicts[vote.caption] - weights[person] * vote.value
            strength = min(1.0, abs(others))
            seen += strength
            agreed += strength * (others * vote.value > 0)
        found[person] = (agreed + PRIOR * HONEST) / (seen + PRIOR)
    return found


def _believed(agreement: float) -> float:
    """0 for a coin, 1 for the honest."""
    return min(1.0, max(0.0, (agreement - COIN) / (HONEST - COIN)))
