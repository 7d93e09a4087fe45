"""Beam search over any step function and any array library. It knows nothing of photos or LSTMs.

The heavy part (choosing the best words, gathering the state) runs where the log-probabilities are: NumPy arrays, or
PyTorch tensors on any device. The bookkeeping is a few hundred numbers and runs in NumPy: see beam_tree.py.

There is a second implementation, model/pytorch/beam_search.py, for the PyTorch engine. This one reads every step's
results on the host and lets arrays grow and photos leave, which is fastest on a CPU and easiest to read; on a GPU each
such look would make the device wait. So this one serves with OpenVINO and defines what a search gives, and the tests
hold the other one to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, to_device

from model.beam_tree import BeamTree

Array = Any  # NumPy array or PyTorch tensor
State = dict[str, Array]  # leaves with leading dimensions (batch, beams)
Step = Callable[[Array, State], tuple[Array, State, Array | None]]
"""step(tokens, state) -> log-probabilities of the next word, next state, extra.

tokens: int64 (batch, beams), the newest word of each hypothesis. log-probabilities: float32 (batch, beams, vocabulary),
natural logarithm. extra: None, or an array (batch, beams, ...) that is returned with each word, such as attention. The
first call has one beam, all later ones have `beams`.
"""
Narrow = Callable[[np.ndarray], Step]
"""narrow(photos) -> a step function for these photos alone; int64, their places in the batch of the first call."""

NARROW = 0.75  # a batch is narrowed to this share of its photos or less: moving their arrays takes as long as a step


@dataclass(frozen=True)
class Rules:
    """Constraints on a caption, and how captions of different length are compared."""

    start: int  # token that the search begins with
    end: int  # token that ends a caption
    max_words: int
    forbidden: tuple[int, ...] = ()  # tokens that never occur
    dangling: tuple[int, ...] = ()  # tokens that a caption never ends on
    no_repeat_ngram: int = 3  # no n-gram of this length occurs twice; 0 allows repetition
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


def beam_search(
    step: Step,
    state: State,
    *,
    beams: int,
    rules: Rules,
    nbest: int = 1,
    narrow: Narrow | None = None,
    overwrite_log_probs: bool = False,
) -> list[list[Hypothesis]]:
    """Find the likeliest captions of each photo, best first.

    A hypothesis ends when the end token is among the best continuations of all beams, and its beam is not used any
    more; so a search with one beam stops at its first end. A photo is done when all its beams have ended, or when no
    unfinished hypothesis can reach the score of the worst of the `nbest` finished ones. A hypothesis of `max_words` is
    ended before the dangling words at its tail.

    Args:
        step: predicts the next word, see Step.
        state: before the first word, leaves (batch, 1, ...).
        beams: width of the search; 1 is greedy decoding.
        rules: constraints and scores.
        nbest: captions wanted of each photo, at most `beams`.
        narrow: lets photos that are done leave the batch early, which pays because captions differ much in length.
        overwrite_log_probs: the arrays that `step` returns are written into instead of copied first.

    Returns:
        Of each photo `nbest` hypotheses or fewer, but at least one.
    """
    if not 1 <= nbest <= beams:
        raise ValueError(f"nbest must be from 1 to beams ({beams}), not {nbest}")
    leaf = next(iter(state.values()))
    xp, place = array_namespace(leaf), device(leaf)
    left = np.arange(leaf.shape[0])  # the photos in the batch, by their places in the first one
    done: list[list[Hypothesis]] = [[] for _ in left]
    tokens = xp.full((leaf.shape[0], 1), rules.start, dtype=xp.int64, device=place)
    tree = BeamTree(leaf.shape[0])
    finished = _Finished(tree, beams, nbest, rules)

    for _ in range(rules.max_words):
        log_probs, state, extra = step(tokens, state)
        tree.read_ends(_host(log_probs[:, :, rules.end]), None if extra is None else _host(extra))
        log_probs = log_probs if overwrite_log_probs else xp.asarray(log_probs, copy=True)
        log_probs[:, :, [*rules.forbidden, rules.end]] = -xp.inf
        repeats = tree.repeats(rules.no_repeat_ngram)
        if repeats[0].size:
            log_probs[tuple(xp.asarray(ids, device=place) for ids in repeats)] = -xp.inf
        values, words = best_words(xp, log_probs, beams)
        best, *continuations = _best_continuations(tree.totals[-1], _host(values), _host(words), beams)
        best = finished.add_ends(best)
        tree.grow(best, *continuations)
        finished.stop_early(best)
        if not finished.free.any():
            break
        stay = np.arange(len(left))
        size = 1 << int(np.count_nonzero(finished.free) - 1).bit_length()  # engines prepare for each new size
        if narrow is not None and size <= NARROW * len(left):
            order = np.argsort(
                finished.free == 0, kind="stable"
            )  # photos that are not done, then some that are, to fill up
            stay = np.sort(order[:size])
            for photo in order[size:].tolist():
                done[left[photo]] = finished.hypotheses(photo)
            left = left[stay]
            finished.narrow(stay)
            step = narrow(left)
        rows, parents, tokens = (
            xp.asarray(ids, device=place) for ids in (stay[:, None], *(part[stay] for part in continuations[:2]))
        )
        state = {name: values[rows, parents] for name, values in state.items()}
    else:
        log_probs, _, extra = step(tokens, state)
        tree.read_ends(_host(log_probs[:, :, rules.end]), None if extra is None else _host(extra))
        finished.close(finished.free > 0)
    for photo, number in enumerate(left.tolist()):
        done[number] = finished.hypotheses(photo)
    return done


def best_words(xp: Any, log_probs: Array, count: int) -> tuple[Array, Array]:
    """The likeliest words of each beam: log-probabilities and tokens, (batch, beams, count), best first.

    Overwrites its input. The best continuations of all beams are among them. A few passes of argmax take far less time
    than sorting the vocabulary.
    """
    batch, beams, _ = log_probs.shape
    at = xp.arange(batch, device=device(log_probs))[:, None], xp.arange(beams, device=device(log_probs))[None, :]
    values, words = [], []
    for _ in range(count):
        word = xp.argmax(log_probs, axis=2)
        values.append(log_probs[(*at, word)])
        words.append(word)
        log_probs[(*at, word)] = -xp.inf
    return xp.stack(values, axis=2), xp.stack(words, axis=2)


def _best_continuations(
    totals: np.ndarray, values: np.ndarray, words: np.ndarray, count: int
) -> tuple[np.ndarray, ...]:
    """The best continuations of all beams of each photo, from the best words of each beam.

    Args:
        totals: (batch, beams), log-probability of the hypotheses so far.
        values, words: (batch, beams, count), see best_words.
        count: continuations per photo.

    Returns:
        Log-probability of the hypothesis, its parent beam, its new word, and that word's log-probability; each
        (batch, count), best first.
    """
    candidates = (totals[:, :, None] + values).reshape(len(totals), -1)
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :count]
    rows = np.arange(len(totals))[:, None]
    parents, rank = order // values.shape[2], order % values.shape[2]
    return candidates[rows, order], parents, words[rows, parents, rank], values[rows, parents, rank]


def _host(array: Array) -> np.ndarray:
    """A NumPy copy: an engine may reuse its memory in the next step."""
    return np.asarray(to_device(array, "cpu")).copy()


class _Finished:
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
