"""What thumbs say of a model, and how sure one can be of it."""

import math
from dataclasses import dataclass

Z = 1.959964  # of a 95 % interval
Z_POWER = 0.841621  # so that a true difference is found in 80 % of cases


@dataclass(frozen=True)
class Approval:
    """Thumbs up and down."""

    up: int = 0
    down: int = 0

    @property
    def votes(self) -> int:
        return self.up + self.down

    @property
    def share(self) -> float | None:
        """Of thumbs up, 0 to 1; None without votes."""
        return self.up / self.votes if self.votes else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies in 95 % of cases: Wilson's score interval (1927). 0 to 1 without votes."""
        if not self.votes:
            return 0.0, 1.0
        share, spread = self.up / self.votes, Z**2 / self.votes
        middle = (share + spread / 2) / (1 + spread)
        half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __add__(self, other: "Approval") -> "Approval":
        return Approval(self.up + other.up, self.down + other.down)


def votes_needed(one: Approval, other: Approval) -> int | None:
    """Votes that each of two still needs until a difference as large as this one can be told from chance; 0 if it can.

    None: as the shares are now, no number would do, or one has no votes yet. The usual sample size for two
    proportions, 5 % and 80 % (Fleiss, Levin and Paik 2003, section 4.2, without the correction for continuity).
    """
    if one.share is None or other.share is None or one.share == other.share:
        return None
    both = (one.share + other.share) / 2
    apart = one.share * (1 - one.share) + other.share * (1 - other.share)
    root = Z * math.sqrt(2 * both * (1 - both)) + Z_POWER * math.sqrt(apart)
    return max(0, math.ceil((root / (one.share - other.share)) ** 2) - min(one.votes, other.votes))
