"""Finished captions of a beam search: the rules that they keep, their scores, and when no better one can come."""

from dataclasses import dataclass

import numpy as np

from model.beam_tree import BeamTree


@dataclass(frozen=True)
class Rules:
    """Constraints on a caption, and how captions of different length are compared."""

    start: int  # token that the search begins with
    end: int  # token that ends a caption
    max_words: int
    forbidden: tuple[int, ...] = ()  # tokens that never occur
    dangling: tuple[int, ...] = ()  # tokens that a caption never ends on
    no_repeat_ngram: int = 3  # no n-gram of this length occurs twice; 0 allows repetition
    no_double_word: bool = False  # no word follows itself at once, as in "a red red car"
    length_penalty: float = 0.7  # alpha in score = log-probability / words ** alpha; 0 or more

    def score(self, log_prob: float, words: int) -> float:
        """Length-normalised score: Wu et al. 2016 (arXiv:1609.08144), eq. 14, without its constant of 5 words."""
        return log_prob / words**self.length_penalty


@dataclass(frozen=True)
class Hypothesis:
    """One finished caption."""

    tokens: tuple[int, ...]  # without start and end
    log_probs: tuple[float, ...]  # natural logarithm, one per word and one for the end
    extras: np.ndarray | None  # (words + 1, ...): what `step` returned with each word and the end
    score: float  # see Rules.score


class Finished:
    """Per photo, the nodes of the tree at which a hypothesis ended, and whether the search may stop."""

    def __init__(self, tree: BeamTree, beams: int, nbest: int, rules: Rules):
        self.tree, self.nbest, self.rules = tree, nbest, rules
        self.dangling = np.array(rules.dangling, dtype=np.int64)
        self.free = np.full(tree.batch, beams)  # beams whose hypothesis has not ended; 0: the photo is done
        self.scores: list[dict[tuple[int, int], float]] = [{} for _ in range(tree.batch)]  # (words, beam) -> score

    def add_ends(self, best: np.ndarray) -> np.ndarray:
        """End the hypotheses for which the end token is among the best continuations of all beams.

        best: (batch, beams), log-probability of the best continuations by another word. Returned with -inf in the last
        places, as many as beams have ended.
        """
        stuck = best[:, 0] == -np.inf  # the rules allow no other word
        if self.tree.length > 0:
            ends = self.tree.totals[-1] + self.tree.end_log_probs[-1]
            ends[self._dangles(self.tree.sentences[:, :, -1])] = -np.inf
            order = np.argsort(-np.concatenate([ends, best], axis=1), axis=1, kind="stable")
            rank = np.argsort(order, axis=1)[:, : ends.shape[1]]
            for photo, beam in np.argwhere((rank < self.free[:, None]) & (ends > -np.inf)).tolist():
                self._keep(photo, self.tree.length, beam)
                self.free[photo] -= 1
            best = np.where(np.arange(best.shape[1]) < self.free[:, None], best, -np.inf)
        if stuck.any():
            self.close(stuck)
        return best

    def close(self, photos: np.ndarray) -> None:
        """End every hypothesis of these photos (bool, (batch,)) before the dangling words at its tail."""
        length = self.tree.length
        for photo in np.flatnonzero(photos & (self.free > 0)).tolist():
            live = np.flatnonzero(self.tree.totals[-1][photo] > -np.inf).tolist()
            for beam in live:
                sound = np.flatnonzero(~self._dangles(self.tree.sentences[photo, beam]))
                if sound.size:
                    words = int(sound[-1]) + 1
                    self._keep(photo, words, self.tree.path(photo, length, beam)[words])
            if not self.scores[photo] and length:  # only dangling words: still better than no caption
                self._keep(photo, length, live[0])
            self.free[photo] = 0

    def stop_early(self, best: np.ndarray) -> None:
        """Finish the photos whose unfinished hypotheses, log-probability (batch, beams), cannot score better."""
        for photo in np.flatnonzero(self.free).tolist():
            scores = sorted(self.scores[photo].values(), reverse=True)
            if len(scores) >= self.nbest:
                # More words lower the log-probability and raise the divisor: no continuation can score higher.
                bound = self.rules.score(float(best[photo, 0]), self.rules.max_words)
                if bound <= scores[self.nbest - 1]:
                    self.free[photo] = 0

    def hypotheses(self, photo: int) -> list[Hypothesis]:
        """The best hypotheses of a photo that is done."""
        scores = self.scores[photo]
        best = sorted(scores, key=lambda node: -scores[node])[: self.nbest]
        return [Hypothesis(*self.tree.trace(photo, *node), score=scores[node]) for node in best]

    def narrow(self, photos: np.ndarray) -> None:
        """Keep only these photos."""
        self.tree.narrow(photos)
        self.free = self.free[photos]
        self.scores = [self.scores[photo] for photo in photos.tolist()]

    def _keep(self, photo: int, words: int, beam: int) -> None:
        total = self.tree.totals[words][photo, beam] + self.tree.end_log_probs[words][photo, beam]
        self.scores[photo][words, beam] = self.rules.score(float(total), words)

    def _dangles(self, words: np.ndarray) -> np.ndarray:
        return (words[..., None] == self.dangling).any(axis=-1)
