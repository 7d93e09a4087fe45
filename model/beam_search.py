"""Beam search over any step function and any array library. It knows nothing of photos or LSTMs.

The heavy part (choosing the best words, gathering the state) runs where the log-probabilities are: NumPy arrays, or
PyTorch tensors on any device. The bookkeeping is a few hundred numbers and runs in NumPy: see beam_tree.py.

There is a second implementation, model/pytorch/beam_search.py, for the PyTorch engine. This one reads every step's
results on the host and lets arrays grow and photos leave, which is fastest on a CPU and easiest to read; on a GPU each
such look would make the device wait. So this one serves with OpenVINO and defines what a search gives, and the tests
hold the other one to it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, to_device

from model.beam_tree import BeamTree
from model.hypotheses import Finished, Hypothesis, Rules

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
    finished = Finished(tree, beams, nbest, rules)

    for _ in range(rules.max_words):
        log_probs, state, extra = step(tokens, state)
        tree.read_ends(_host(log_probs[:, :, rules.end]), None if extra is None else _host(extra))
        log_probs = log_probs if overwrite_log_probs else xp.asarray(log_probs, copy=True)
        log_probs[:, :, [*rules.forbidden, rules.end]] = -xp.inf
        repeats = tree.repeats(rules.no_repeat_ngram)
        if repeats[0].size:
            log_probs[tuple(xp.asarray(ids, device=place) for ids in repeats)] = -xp.inf
        if rules.no_double_word and tree.length:
            rows, slots = (xp.asarray(ids, device=place) for ids in np.ix_(*map(np.arange, tokens.shape)))
            log_probs[rows, slots, tokens] = -xp.inf
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
