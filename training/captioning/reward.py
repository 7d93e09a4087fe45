"""The reward of self-critical training: CIDEr-D, with optional penalties for sentences that fit many photos."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import numpy as np

from training.captioning.word_balance import WordBalance
from training.metrics.cider import CiderD

WINDOW = 5000  # sampled sentences, the latest, among which repetitions are counted


class Reward:
    """Rewards sentences of word ids, END included, about photos whose references were added to `cider`."""

    def __init__(
        self,
        cider: CiderD,
        similar: Mapping[str, Sequence[str]] | None = None,
        *,
        contrast: float = 0.0,
        variety: float = 0.0,
        words: WordBalance | None = None,
    ):
        """Choose the penalties.

        Args:
            similar: photo id -> ids of similar photos.
            contrast: share of the mean CIDEr-D for the similar photos that is subtracted: what fits any of them says
                little about this one (Wang et al. 2020, "Compare and Reweight: Distinctive Image Captioning using
                Similar Images Sets").
            variety: penalty of a sentence that makes up all of the latest samples; one in fifty costs a fiftieth.
            words: reward of words that the model says too rarely.
        """
        self._cider, self._similar, self._contrast, self._variety = cider, similar or {}, contrast, variety
        self._words = words
        self.reset()

    def reset(self) -> None:
        """Clear the window. At the start of each epoch, so that a resumed run gets the same rewards."""
        self._recent: deque[tuple[int, ...]] = deque()
        self._counts: Counter[tuple[int, ...]] = Counter()
        if self._words:
            self._words.reset()

    def __call__(self, photos: Sequence[str], lines: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Rewards of S sentences of each of B photos, float64 (B, S)."""
        rewards = [[self._of(photo, line) for line in of_photo] for photo, of_photo in zip(photos, lines, strict=True)]
        said = [tuple(line) for of_photo in lines for line in of_photo]
        if self._variety:
            self._count(said)
        if self._words:
            self._words.count(said)
        return np.array(rewards)

    def _of(self, photo: str, line: Sequence[int]) -> float:
        reward = self._cider.score(photo, line)
        if self._contrast and (others := self._similar[photo]):  # a single photo has none
            reward -= self._contrast * self._cider.mean_score(others, line)
        if self._variety:
            reward -= self._variety * self._counts[tuple(line)] / WINDOW
        if self._words:
            reward += self._words(line)
        return reward

    def _count(self, lines: Sequence[tuple[int, ...]]) -> None:
        self._recent.extend(lines)
        self._counts.update(lines)
        while len(self._recent) > WINDOW:
            self._counts[self._recent.popleft()] -= 1


class MixedReward:
    """Rewards photos of several data sets, each by the Reward of its own set.

    So n-grams are weighted by how rare they are in the photo's own set: a large set does not decide what is rare in the
    others, whose captions may be written in another manner.
    """

    def __init__(self, rewards: Mapping[str, Reward], sets: Mapping[str, str]):
        """rewards: name of a data set -> its reward. sets: photo id -> name of its data set."""
        self._rewards, self._sets = rewards, sets

    def reset(self) -> None:
        """Clear the windows of repeated sentences."""
        for reward in self._rewards.values():
            reward.reset()

    def __call__(self, photos: Sequence[str], lines: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Rewards of S sentences of each of B photos, float64 (B, S)."""
        pairs = zip(photos, lines, strict=True)
        return np.concatenate([self._rewards[self._sets[photo]]([photo], [of_photo]) for photo, of_photo in pairs])
