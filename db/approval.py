"""Approval rate of a model from thumbs up and down, with a confidence interval and a sample size."""

import math
from dataclasses import dataclass

Z = 1.959964  # two-sided 95 % quantile of the normal distribution
Z_POWER = 0.841621  # 80 % quantile: a true difference is detected in 80 % of cases


@dataclass(frozen=True)
class Approval:
    """Numbers of thumbs up and thumbs down."""

    up: int = 0
    down: int = 0

    @property
    def votes(self) -> int:
        return self.up + self.down

    @property
    def share(self) -> float | None:
        """Share of thumbs up, 0 to 1; None without votes."""
        return self.up / self.votes if self.votes else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the share: Wilson's score interval (1927). (0, 1) without votes."""
        if not self.votes:
            return 0.0, 1.0
        share, spread = self.up / self.votes, Z**2 / self.votes
        middle = (share + spread / 2) / (1 + spread)
        half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __add__(self, other: "Approval") -> "Approval":
        return Approval(self.up + other.up, self.down + other.down)


def votes_needed(one: Approval, other: Approval) -> int | None:
    """How many more votes each of two models needs before the present difference between them is significant.

    The sample size for comparing two proportions at 5 % significance and 80 % power (Fleiss, Levin and Paik 2003,
    section 4.2, without the continuity correction).

    Returns:
        0 if the difference is significant already; None if the shares are equal or one model has no votes.
    """
    if one.share is None or other.share is None or one.share == other.share:
        return None
    both = (one.share + other.share) / 2
    apart = one.share * (1 - one.share) + other.share * (1 - other.share)
    root = Z * math.sqrt(2 * both * (1 - both)) + Z_POWER * math.sqrt(apart)
    return max(0, math.ceil((root / (one.share - other.share)) ** 2) - min(one.votes, other.votes))
