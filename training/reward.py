"""What a sentence earns in self-critical training: CIDEr-D, less what it would earn elsewhere, and less if common."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import numpy as np

from training.metrics.cider import CiderD

LATELY = 5000  # sentences drawn, among which one is said too often


class Reward:
    """Of sentences of word ids, the end token in them. Knows the photos that were added to `cider`."""

    def __init__(
        self,
        cider: CiderD,
        similar: Mapping[str, Sequence[str]] | None = None,
        *,
        contrast: float = 0.0,
        variety: float = 0.0,
    ):
        """contrast: how much of its mean CIDEr-D for the `similar` photos is taken off. What would do for any of them
        says little of this one (Wang et al. 2020, "Compare and Reweight: Distinctive Image Captioning using Similar
        Images Sets").

        variety: what a sentence would lose that was drawn each time lately; one in fifty loses a fiftieth of it.
        """
        self._cider, self._similar, self._contrast, self._variety = cider, similar or {}, contrast, variety
        self.forget()

    def forget(self) -> None:
        """What was drawn lately. At the start of each epoch, so that a resumed run earns what it would have earned."""
        self._lately: deque[tuple[int, ...]] = deque()
        self._counts: Counter[tuple[int, ...]] = Counter()

    def __call__(self, photos: Sequence[str], lines: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Of S sentences of each of B photos, float64 (B, S)."""
        earned = [[self._of(photo, line) for line in of_photo] for photo, of_photo in zip(photos, lines, strict=True)]
        if self._variety:
            self._remember([tuple(line) for of_photo in lines for line in of_photo])
        return np.array(earned)

    def _of(self, photo: str, line: Sequence[int]) -> float:
        earned = self._cider.score(photo, line)
        if self._contrast and (others := self._similar[photo]):  # a lone photo has none
            earned -= self._contrast * self._cider.mean_score(others, line)
        if self._variety:
            earned -= self._variety * self._counts[tuple(line)] / LATELY
        return earned

    def _remember(self, lines: Sequence[tuple[int, ...]]) -> None:
        self._lately.extend(lines)
        self._counts.update(lines)
        while len(self._lately) > LATELY:
            self._counts[self._lately.popleft()] -= 1
