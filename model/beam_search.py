"""Beam search over any step function and any array library. Knows nothing of photos or LSTMs.

The heavy part (choosing the best words, gathering the state) runs where the log-probabilities are: NumPy arrays, or
PyTorch tensors on any device. The bookkeeping is a few hundred numbers and runs in NumPy: see trellis.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, to_device

from model.trellis import Trellis

Array = Any  # NumPy array or PyTorch tensor
State = dict[str, Array]  # leaves with leading dimensions (batch, beams)
Step = Callable[[Array, State], tuple[Array, State, Array | None]]
"""step(tokens int64 (batch, beams), state) -> log-probs float32 (batch, beams, vocabulary), next state, extra.

`extra` is None or an array with leading dimensions (batch, beams) that comes back with each word, such as attention.
The first call has one beam, all later ones have `beams`.
"""
Narrow = Callable[[np.ndarray], Step]
"""Of the photos that are left, numbered as in the first call (int64), to a step function for them alone."""

NARROW = 0.75  # share of its photos that a batch is narrowed to, at most: moving their arrays costs like a step


@dataclass(frozen=True)
class Rules:
    """What a sentence may look like, and how sentences of different length compare."""

    start: int  # id that the search feeds first
    end: int  # id that closes a sentence
    max_words: int
    forbidden: tuple[int, ...] = ()  # ids never said
    dangling: tuple[int, ...] = ()  # ids a sentence never ends on
    no_repeat_ngram: int = 3  # no sequence of so many words twice; 0 allows it
    length_penalty: float = 0.7  # alpha in score = log-probability / words ** alpha; 0 or more

    def score(self, log_prob: float, words: int) -> float:
        """Wu et al. 2016 (arXiv:1609.08144), equation 14, without its constant of five words."""
        return log_prob / words**self.length_penalty


@dataclass(frozen=True)
class Hypothesis:
    """One finished sentence."""

    tokens: tuple[int, ...]  # without start and end
    log_probs: tuple[float, ...]  # one per word and one for the end
    extras: np.ndarray | None  # (words + 1, ...): what `step` gave beside each word and the end
    score: float


def beam_search(
    step: Step,
    state: State,
    *,
    beams: int,
    rules: Rules,
    nbest: int = 1,
    narrow: Narrow | None = None,
    own: bool = False,
) -> list[list[Hypothesis]]:
    """The best sentences of each photo, best first: `nbest` of them, at times fewer, never none.

    state: leaves (batch, 1, ...), from before the first word. One beam is greedy decoding. narrow: lets photos whose
    sentences are done leave the batch early; sentences are of very different length. own: the log-probabilities are
    the search's own, it may write into them; else it copies them first.

    A sentence ends when its end is among the best continuations, and takes its beam with it: one beam stops at its
    first end. A photo is done when all beams are used up, or when no unfinished sentence can still beat the worst of
    the `nbest` kept. A sentence of `max_words` is closed, without the dangling words at its tail.
    """
    if not 1 <= nbest <= beams:
        raise ValueError(f"nbest must be from 1 to beams ({beams}), not {nbest}")
    leaf = next(iter(state.values()))
    xp, place = array_namespace(leaf), device(leaf)
    left = np.arange(leaf.shape[0])  # the photos that are in the batch
    done: list[list[Hypothesis]] = [[] for _ in left]
    tokens = xp.full((leaf.shape[0], 1), rules.start, dtype=xp.int64, device=place)
    trellis = Trellis(leaf.shape[0])
    finished = _Finished(trellis, beams, nbest, rules)

    for _ in range(rules.max_words):
        log_probs, state, extra = step(tokens, state)
        trellis.read_ends(_host(log_probs[:, :, rules.end]), None if extra is None else _host(extra))
        log_probs = log_probs if own else xp.asarray(log_probs, copy=True)
        log_probs[:, :, [*rules.forbidden, rules.end]] = -xp.inf
        repeats = trellis.repeats(rules.no_repeat_ngram)
        if repeats[0].size:
            log_probs[tuple(xp.asarray(ids, device=place) for ids in repeats)] = -xp.inf
        values, words = best_words(xp, log_probs, beams)
        best, *continuations = _best_continuations(trellis.totals[-1], _host(values), _host(words), beams)
        best = finished.add_ends(best)
        trellis.grow(best, *continuations)
        finished.judge(best)
        if not finished.free.any():
            break
        stay = np.arange(len(left))
        size = 1 << int(np.count_nonzero(finished.free) - 1).bit_length()  # engines set up anew for each size they meet
        if narrow is not None and size <= NARROW * len(left):
            order = np.argsort(finished.free == 0, kind="stable")  # those that are not done, and some others to fill up
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
        trellis.read_ends(_host(log_probs[:, :, rules.end]), None if extra is None else _host(extra))
        finished.close(finished.free > 0)
    for photo, number in enumerate(left.tolist()):
        done[number] = finished.hypotheses(photo)
    return done


def best_words(xp: Any, log_probs: Array, count: int) -> tuple[Array, Array]:
    """Log-probability and id of the best words of each beam, (batch, beams, count), best first. Overwrites its input.

    The best continuations are among them. A few passes of argmax cost far less than sorting the vocabulary.
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
    """The best continuations of all beams of a photo: log-probability of the sentence, parent beam, word, and the
    word's own log-probability; each (batch, count), best first.

    totals: (batch, beams), log-probability of the sentences so far. values, words: (batch, beams, count).
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
    """Per photo, the nodes of the trellis at which a sentence ended, and whether the search may stop."""

    def __init__(self, trellis: Trellis, beams: int, nbest: int, rules: Rules):
        self.trellis, self.nbest, self.rules = trellis, nbest, rules
        self.dangling = np.array(rules.dangling, dtype=np.int64)
        self.free = np.full(trellis.batch, beams)  # beams that no ended sentence has taken; 0: the photo is done
        self.scores: list[dict[tuple[int, int], float]] = [{} for _ in range(trellis.batch)]  # (words, beam) -> score

    def add_ends(self, best: np.ndarray) -> np.ndarray:
        """Keep the sentences that end here, where that is among the best of all continuations.

        best: (batch, beams), log-probability of the best continuations by another word. Gives it back with -inf for
        those whose beam is now taken.
        """
        stuck = best[:, 0] == -np.inf  # the rules allow no other word
        if self.trellis.length > 0:
            ends = self.trellis.totals[-1] + self.trellis.end_log_probs[-1]
            ends[self._dangles(self.trellis.sentences[:, :, -1])] = -np.inf
            order = np.argsort(-np.concatenate([ends, best], axis=1), axis=1, kind="stable")
            rank = np.argsort(order, axis=1)[:, : ends.shape[1]]
            for photo, beam in np.argwhere((rank < self.free[:, None]) & (ends > -np.inf)).tolist():
                self._keep(photo, self.trellis.length, beam)
                self.free[photo] -= 1
            best = np.where(np.arange(best.shape[1]) < self.free[:, None], best, -np.inf)
        if stuck.any():
            self.close(stuck)
        return best

    def close(self, photos: np.ndarray) -> None:
        """End every sentence of these photos (bool, (batch,)) before the dangling words at its tail."""
        length = self.trellis.length
        for photo in np.flatnonzero(photos & (self.free > 0)).tolist():
            live = np.flatnonzero(self.trellis.totals[-1][photo] > -np.inf).tolist()
            for beam in live:
                sound = np.flatnonzero(~self._dangles(self.trellis.sentences[photo, beam]))
                if sound.size:
                    words = int(sound[-1]) + 1
                    self._keep(photo, words, self.trellis.way(photo, length, beam)[words])
            if not self.scores[photo] and length:  # nothing but dangling words: better than saying nothing
                self._keep(photo, length, live[0])
            self.free[photo] = 0

    def judge(self, best: np.ndarray) -> None:
        """Free no more beams where nothing better can come. best: (batch, beams), log-probability of the unfinished."""
        for photo in np.flatnonzero(self.free).tolist():
            scores = sorted(self.scores[photo].values(), reverse=True)
            if len(scores) >= self.nbest:
                # More words lower the log-probability and raise the divisor: no continuation can reach more than this.
                bound = self.rules.score(float(best[photo, 0]), self.rules.max_words)
                if bound <= scores[self.nbest - 1]:
                    self.free[photo] = 0

    def hypotheses(self, photo: int) -> list[Hypothesis]:
        """The best sentences of a photo that is done."""
        scores = self.scores[photo]
        best = sorted(scores, key=lambda node: -scores[node])[: self.nbest]
        return [Hypothesis(*self.trellis.trace(photo, *node), score=scores[node]) for node in best]

    def narrow(self, photos: np.ndarray) -> None:
        """Only these photos are left."""
        self.trellis.narrow(photos)
        self.free = self.free[photos]
        self.scores = [self.scores[photo] for photo in photos.tolist()]

    def _keep(self, photo: int, words: int, beam: int) -> None:
        total = self.trellis.totals[words][photo, beam] + self.trellis.end_log_probs[words][photo, beam]
        self.scores[photo][words, beam] = self.rules.score(float(total), words)

    def _dangles(self, words: np.ndarray) -> np.ndarray:
        return (words[..., None] == self.dangling).any(axis=-1)
