"""Beam search over any step function and any array library. Knows nothing of photos or LSTMs.

The heavy part (adding, choosing, gathering) runs where the log-probabilities are: NumPy arrays or PyTorch tensors on
any device. The bookkeeping (which words so far, which sentences have ended) is a few hundred numbers and runs in NumPy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, to_device

Array = Any  # NumPy array or PyTorch tensor
State = dict[str, Array]  # leaves with leading dimensions (batch, beams)
Step = Callable[[Array, State], tuple[Array, State, Array | None]]
"""step(tokens int64 (batch, beams), state) -> log-probs float32 (batch, beams, vocabulary), next state, extra.

`extra` is None or an array with leading dimensions (batch, beams) that comes back with each word, such as attention.
The first call has one beam, all later ones have `beams`.
"""


@dataclass(frozen=True)
class Rules:
    """What a sentence may look like, and how sentences of different length compare."""

    start: int  # id that the search feeds first
    end: int  # id that closes a sentence
    max_words: int
    forbidden: tuple[int, ...] = ()  # ids never said
    dangling: tuple[int, ...] = ()  # ids a sentence never ends on
    no_repeat_ngram: int = 3  # no sequence of so many words twice; 0 allows it
    length_penalty: float = 0.7  # alpha in score = log-probability / words ** alpha

    def score(self, log_prob: float, words: int) -> float:
        """Wu et al. 2016 (arXiv:1609.08144), equation 14, without its constant of five words."""
        return log_prob / words**self.length_penalty


@dataclass(frozen=True)
class Hypothesis:
    """One finished sentence."""

    tokens: tuple[int, ...]  # without start and end
    log_probs: tuple[float, ...]  # one per word and one for the end
    score: float
    extras: np.ndarray | None  # (words + 1, ...): what `step` gave beside each word and the end


def beam_search(step: Step, state: State, *, beams: int, rules: Rules, nbest: int = 1) -> list[list[Hypothesis]]:
    """The best sentences of each photo, best first: `nbest` of them, or fewer where the rules allow fewer.

    state: leaves (batch, 1, ...), from before the first word. One beam is greedy decoding.

    A sentence counts as ended when its end is among the `beams` best continuations. A photo is done when `beams`
    sentences have ended (so one beam stops at its first end), or when no unfinished one can still beat the worst
    of the `nbest` kept.
    """
    if not 1 <= nbest <= beams:
        raise ValueError(f"nbest must be from 1 to beams ({beams}), not {nbest}")
    leaf = next(iter(state.values()))
    xp, place, batch = array_namespace(leaf), device(leaf), leaf.shape[0]
    rows = xp.arange(batch, device=place)[:, None]
    tokens = xp.full((batch, 1), rules.start, dtype=xp.int64, device=place)
    totals = xp.zeros((batch, 1), dtype=xp.float32, device=place)  # log-probability of the words so far
    trellis = _Trellis(batch, rules)
    finished = _Finished(batch, beams, nbest, rules)

    for _ in range(rules.max_words):
        log_probs, state, extra = step(tokens, state)
        totals, parents, tokens = _best_continuations(xp, log_probs, totals, rows, beams, rules, trellis.repeats())
        best, ends = _host(totals), trellis.read_ends(log_probs, extra)
        finished.add_ends(ends, best, trellis)
        stuck = ~finished.done & (best[:, 0] == -np.inf)  # no rule-abiding word is left: close what there is
        finished.close(stuck, trellis)
        trellis.grow(_host(parents), _host(tokens), _host(log_probs[rows, parents, tokens]), best)
        finished.judge(best)
        if finished.done.all():
            break
        state = {name: values[rows, parents] for name, values in state.items()}
    else:
        log_probs, state, extra = step(tokens, state)
        trellis.read_ends(log_probs, extra)
        finished.close(~finished.done, trellis)
    return [[trellis.trace(photo, *node) for node in nodes] for photo, nodes in enumerate(finished.best_nodes())]


def _best_continuations(
    xp: Any, log_probs: Array, totals: Array, rows: Array, beams: int, rules: Rules, repeats: tuple[np.ndarray, ...]
) -> tuple[Array, Array, Array]:
    """Log-probability, parent beam and word of the `beams` best unfinished continuations, each (batch, beams).

    A few passes of argmax cost far less than sorting batch * beams * vocabulary numbers.
    """
    batch, _, vocabulary = log_probs.shape
    candidates = log_probs + totals[:, :, None]
    candidates[:, :, [*rules.forbidden, rules.end]] = -xp.inf
    if repeats[0].size:
        candidates[tuple(xp.asarray(ids, device=device(candidates)) for ids in repeats)] = -xp.inf
    candidates = xp.reshape(candidates, (batch, -1))
    values, places = [], []
    for _ in range(beams):
        place = xp.argmax(candidates, axis=1)[:, None]
        values.append(candidates[rows, place])
        places.append(place)
        candidates[rows, place] = -xp.inf
    chosen = xp.concat(places, axis=1)
    return xp.concat(values, axis=1), chosen // vocabulary, chosen % vocabulary


def _host(array: Array) -> np.ndarray:
    """A NumPy copy: an engine may reuse its memory in the next step."""
    return np.array(to_device(array, "cpu"))


class _Trellis:
    """All words tried so far, with a pointer from each to the one before it.

    A node (words, beam) is the beam that holds a sentence of so many words. It stands for exactly one sentence.
    """

    def __init__(self, batch: int, rules: Rules):
        self.rules = rules
        self.rows = np.arange(batch)[:, None]
        self.sentences = np.zeros((batch, 1, 0), dtype=np.int64)  # (batch, beams, words) of the newest nodes
        self.totals = [np.zeros((batch, 1), dtype=np.float32)]  # each list has one entry per number of words
        self.parents: list[np.ndarray] = []
        self.words: list[np.ndarray] = []
        self.word_log_probs: list[np.ndarray] = []
        self.end_log_probs: list[np.ndarray] = []
        self.extras: list[np.ndarray | None] = []

    @property
    def length(self) -> int:
        return len(self.parents)

    def repeats(self) -> tuple[np.ndarray, ...]:
        """Photo, beam and word of each continuation that would say an n-gram again."""
        size, words = self.rules.no_repeat_ngram, self.length
        earlier = words - size + 1  # n-grams that are complete
        if size < 1 or earlier < 1:
            return (np.zeros(0, dtype=np.int64),) * 3
        same = np.ones((*self.sentences.shape[:2], earlier), dtype=bool)
        for offset in range(size - 1):
            last = self.sentences[:, :, earlier + offset, None]
            same &= self.sentences[:, :, offset : offset + earlier] == last
        photo, beam, where = np.nonzero(same)
        return photo, beam, self.sentences[photo, beam, where + size - 1]

    def read_ends(self, log_probs: Array, extra: Array | None) -> np.ndarray:
        """Log-probability (batch, beams) of each newest sentence if it ended here; -inf where it must not end."""
        self.end_log_probs.append(_host(log_probs[:, :, self.rules.end]))
        self.extras.append(None if extra is None else _host(extra))
        if self.length == 0:
            return np.full_like(self.totals[0], -np.inf)
        return np.where(self.dangles(self.sentences[:, :, -1]), -np.inf, self.totals[-1] + self.end_log_probs[-1])

    def dangles(self, words: np.ndarray) -> np.ndarray:
        return np.isin(words, self.rules.dangling)

    def grow(self, parents: np.ndarray, words: np.ndarray, log_probs: np.ndarray, totals: np.ndarray) -> None:
        self.sentences = np.concatenate([self.sentences[self.rows, parents], words[:, :, None]], axis=2)
        self.parents.append(parents)
        self.words.append(words)
        self.word_log_probs.append(log_probs)
        self.totals.append(totals)

    def beams_on_the_way(self, photo: int, words: int, beam: int) -> list[int]:
        """The beam in which the first 0, 1, ... words of the sentence stood."""
        way = [beam]
        for parents in reversed(self.parents[:words]):
            way.append(int(parents[photo, way[-1]]))
        return way[::-1]

    def trace(self, photo: int, words: int, beam: int) -> Hypothesis:
        way = self.beams_on_the_way(photo, words, beam)
        log_probs = [float(values[photo, at]) for values, at in zip(self.word_log_probs, way[1:], strict=False)]
        log_probs.append(float(self.end_log_probs[words][photo, beam]))
        extras = [values[photo, at] for values, at in zip(self.extras, way, strict=False) if values is not None]
        return Hypothesis(
            tokens=tuple(int(values[photo, at]) for values, at in zip(self.words, way[1:], strict=False)),
            log_probs=tuple(log_probs),
            score=self.score(photo, words, beam),
            extras=np.stack(extras) if extras else None,
        )

    def score(self, photo: int, words: int, beam: int) -> float:
        total = self.totals[words][photo, beam] + self.end_log_probs[words][photo, beam]
        return self.rules.score(float(total), words)


class _Finished:
    """Per photo, the nodes at which a sentence ended, and whether the search may stop."""

    def __init__(self, batch: int, beams: int, nbest: int, rules: Rules):
        self.beams, self.nbest, self.rules = beams, nbest, rules
        self.done = np.zeros(batch, dtype=bool)
        self.scores: list[dict[tuple[int, int], float]] = [{} for _ in range(batch)]  # (words, beam) -> score

    def add_ends(self, ends: np.ndarray, best: np.ndarray, trellis: _Trellis) -> None:
        """Keep the ends that are among the `beams` best of all continuations.

        ends: (batch, beams), -inf where none is allowed. best: (batch, beams), the unfinished continuations.
        """
        rivals = np.concatenate([best, ends], axis=1)
        rank = (rivals[:, None, :] > ends[:, :, None]).sum(axis=2)
        for photo, beam in np.argwhere((rank < self.beams) & (ends > -np.inf) & ~self.done[:, None]):
            node = (trellis.length, int(beam))
            self.scores[photo][node] = trellis.score(photo, *node)

    def close(self, photos: np.ndarray, trellis: _Trellis) -> None:
        """End every unfinished sentence of these photos (batch,), without the dangling words at its tail."""
        for photo in np.flatnonzero(photos):
            live = np.flatnonzero(trellis.totals[-1][photo] > -np.inf)
            for beam in live:
                dangles = trellis.dangles(trellis.sentences[photo, beam])
                if not dangles.all():
                    words = int(np.flatnonzero(~dangles)[-1]) + 1
                    node = (words, trellis.beams_on_the_way(photo, trellis.length, int(beam))[words])
                    self.scores[photo][node] = trellis.score(photo, *node)
            if not self.scores[photo] and trellis.length:  # nothing but dangling words: better than saying nothing
                node = (trellis.length, int(live[0]))
                self.scores[photo][node] = trellis.score(photo, *node)
            self.done[photo] = True

    def judge(self, best: np.ndarray) -> None:
        """Mark the photos that are done. best: (batch, beams), log-probability of the unfinished sentences."""
        for photo in np.flatnonzero(~self.done):
            scores = self.scores[photo].values()
            if len(scores) >= self.nbest:
                worst = sorted(scores, reverse=True)[self.nbest - 1]
                # A longer sentence has a lower log-probability and a larger divisor: this is the most it can reach.
                hopeless = self.rules.score(float(best[photo, 0]), self.rules.max_words) <= worst
                self.done[photo] = hopeless or len(scores) >= self.beams

    def best_nodes(self) -> list[list[tuple[int, int]]]:
        return [sorted(scores, key=lambda node: -scores[node])[: self.nbest] for scores in self.scores]
