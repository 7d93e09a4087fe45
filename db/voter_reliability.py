"""Weights votes by how reliable the voter is.

Votes count less from people who nearly always vote the same way, vote in bursts, cast a large share of all votes, or
disagree with others. Agreement follows the one-coin model of Dawid and Skene (1979): a caption's score is the sum of
the other votes, each weighted by its voter's reliability, which in turn is how often the voter agrees with such
scores. The two are computed in turn for ten rounds.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

ONE_WAY, ONE_WAY_SHARE, ONE_WAY_WEIGHT = 20, 0.95, 0.2  # minimum votes; share of equal ones; weight from there on
BURST, BURST_TIME, BURST_WEIGHT = 20, timedelta(minutes=1), 0.2  # nobody reads more captions in that time
MASS, MASS_SHARE = 50, 0.1  # above 50 votes one person's votes count for at most a tenth of all
# Two honest people who are each right in 80 % of cases agree in 68 % of them. This is the prior for everybody, with the
# strength of PRIOR observed votes. Somebody who agrees no more often than a coin toss has weight 0.
HONEST, COIN, PRIOR = 2 / 3, 0.5, 20.0
AGREES_SELDOM = 0.5  # a weight from agreement below this is listed among the reasons
SUSPICIOUS = 0.3  # corrections by people with a weight below this are quarantined
ROUNDS = 10


class CastVote(NamedTuple):
    """One vote: who voted, on which caption, and when."""

    person: int
    caption: int
    value: int  # 1 or -1
    at: datetime


@dataclass(frozen=True)
class Reliability:
    """How much each of a person's votes counts, and why it is less than it could be."""

    weight: float  # 0 to 1
    votes: int
    agreement: float  # with others on the same captions, 0 to 1; with few votes it is close to HONEST
    reasons: tuple[str, ...] = ()


def reliability(votes: Sequence[CastVote]) -> dict[int, Reliability]:
    """Reliability of each voter: person -> reliability. The order of the votes does not matter."""
    by_person: dict[int, list[CastVote]] = defaultdict(list)
    for vote in sorted(votes):
        by_person[vote.person].append(vote)
    habits = {person: _habits(cast, len(votes)) for person, cast in by_person.items()}
    prior = {person: weight for person, (weight, _) in habits.items()}
    agreement = dict.fromkeys(by_person, HONEST)
    for _ in range(ROUNDS):
        weights = {person: prior[person] * _weight(agreement[person]) for person in by_person}
        agreement = _agreement(by_person, weights)
    found = {}
    for person, cast in by_person.items():
        weight, reasons = habits[person]
        if (agreed := _weight(agreement[person])) < AGREES_SELDOM:
            reasons = [*reasons, f"agrees with others in {agreement[person]:.0%} of cases"]
        found[person] = Reliability(round(weight * agreed, 4), len(cast), round(agreement[person], 4), (*reasons,))
    return found


def _habits(cast: Sequence[CastVote], total: int) -> tuple[float, list[str]]:
    """A person's weight from how they vote alone, and the reasons if it is below 1."""
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
    """The largest number of votes within BURST_TIME. times: sorted."""
    longest = start = 0
    for end, time in enumerate(times):
        while time - times[start] > BURST_TIME:
            start += 1
        longest = max(longest, end - start + 1)
    return longest


def _agreement(by_person: Mapping[int, Sequence[CastVote]], weights: Mapping[int, float]) -> dict[int, float]:
    """How often each person agrees with others on the same captions: person -> share, smoothed towards HONEST."""
    scores: dict[int, float] = defaultdict(float)
    for person, cast in by_person.items():
        for vote in cast:
            scores[vote.caption] += weights[person] * vote.value
    found = {}
    for person, cast in by_person.items():
        agreed = seen = 0.0
        for vote in cast:
            others = scores[vote.caption] - weights[person] * vote.value
            strength = min(1.0, abs(others))
            seen += strength
            agreed += strength * (others * vote.value > 0)
        found[person] = (agreed + PRIOR * HONEST) / (seen + PRIOR)
    return found


def _weight(agreement: float) -> float:
    """The weight for this agreement: 0 at COIN, 1 at HONEST, linear between."""
    return min(1.0, max(0.0, (agreement - COIN) / (HONEST - COIN)))
