"""Beam search on the device: what model/beam_search.py computes, as operations on tensors of fixed shape.

Why a second implementation: model/beam_search.py reads the results of each step on the host, and its arrays grow. On a
GPU each such read waits for the device, which is then idle, and shapes that change cannot be recorded. Here nothing
waits for the device or reads a value, so several steps can be recorded as one CUDA graph. model/beam_search.py defines
what a search gives; the tests hold this one to it.

Letters in shape comments: B photos; K beams; L the most words; V words in the vocabulary; R cells of the feature grid;
N hypotheses wanted of each photo.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from model.beam_search import best_words
from model.hypotheses import Rules

Arrays = dict[str, Tensor]
Step = Callable[[Tensor, Arrays, Arrays], tuple[Tensor, Arrays, Tensor | None]]  # TorchEngine.step
STATE, MEMORY = "state.", "memory."  # prefixes of the names of a decoder's arrays among those of a search


class TorchSearch:
    """The search for one width and one set of rules. What depends on the photos is in a dictionary of arrays:

    tokens (B, K): the newest word of each hypothesis.
    total (B, K): log-probability of each hypothesis, -inf where there is none.
    free (B,): number of beams whose hypothesis has not ended; 0 when the photo is done.
    ended (B, (L + 1) * K): whether the hypothesis with this number of words in this beam has ended.
    trimmed (B, K): the index in `ended` of a hypothesis without the dangling words at its tail; 0 if none are left.
    best (B, N): scores of the best hypotheses that have ended.
    prefix (B, K, L): the words of each hypothesis so far.
    scores, ends (B, L + 1, K): of every hypothesis if it ended there; log-probability of the end token.
    parents, words, log_probs (B, L, K): the tree of all hypotheses, see model/beam_tree.py.
    extras (B, L + 1, K, ...): what the step function returns beside, if anything.
    """

    def __init__(self, step: Step, *, beams: int, rules: Rules, nbest: int, device: torch.device):
        if not 1 <= nbest <= beams:
            raise ValueError(f"nbest must be from 1 to beams ({beams}), not {nbest}")
        self.step, self.beams, self.rules, self.nbest = step, beams, rules, nbest
        self.steps = rules.max_words + 1  # the last one only ends what is unfinished
        # Copied to the device now, so that nothing is copied during a search.
        self._banned = torch.tensor([*rules.forbidden, rules.end], device=device)
        self._dangling = torch.tensor(rules.dangling, dtype=torch.int64, device=device)
        self._slots = torch.arange(beams, device=device)

    def begin(self, memory: Arrays, state: Arrays) -> Arrays:
        """Memory and state of `TorchEngine.encode` -> the arrays of a search before its first word."""
        leaf = next(iter(state.values()))
        batch, width, most = len(leaf), self.beams, self.rules.max_words
        total = leaf.new_full((batch, width), -torch.inf, dtype=torch.float64)
        total[:, 0] = 0  # one hypothesis, without words
        nodes, words = (batch, most + 1, width), (batch, most, width)
        return {
            "tokens": leaf.new_full((batch, width), self.rules.start, dtype=torch.int64),
            "total": total,
            "free": leaf.new_full((batch,), width, dtype=torch.int64),
            "trimmed": leaf.new_zeros((batch, width), dtype=torch.int64),
            "best": leaf.new_full((batch, self.nbest), -torch.inf, dtype=torch.float64),
            "prefix": leaf.new_zeros((batch, width, most), dtype=torch.int64),
            "ended": leaf.new_zeros((batch, (most + 1) * width), dtype=torch.bool),
            "scores": leaf.new_zeros(nodes, dtype=torch.float64),
            "ends": leaf.new_zeros(nodes, dtype=torch.float32),
            "parents": leaf.new_zeros(words, dtype=torch.int64),
            "words": leaf.new_zeros(words, dtype=torch.int64),
            "log_probs": leaf.new_zeros(words, dtype=torch.float32),
            **{MEMORY + name: value for name, value in memory.items()},
            **{STATE + name: value.expand(-1, width, *value.shape[2:]) for name, value in state.items()},
        }

    def advance(self, arrays: Arrays, length: int) -> None:
        """Continue hypotheses of this many words by one word. Changes the arrays in place or replaces them."""
        memory, state = (_part(arrays, prefix) for prefix in (MEMORY, STATE))
        log_probs, state, extra = self.step(arrays["tokens"], memory, state)
        end = log_probs[:, :, self.rules.end]
        arrays["ends"][:, length] = end
        ends = arrays["total"] + end
        if extra is not None:
            if length == 0:
                arrays["extras"] = extra.new_zeros((len(extra), self.steps, *extra.shape[1:]))
            arrays["extras"][:, length] = extra
        if length:
            arrays["scores"][:, length] = ends / length**self.rules.length_penalty
        if length == self.rules.max_words:
            self._end_all(arrays, arrays["free"] > 0, length)
            return
        best, parents, words, values = self._continuations(arrays, log_probs, length)
        if length:
            best = self._add_ends(arrays, ends, best, length)
        self._end_all(arrays, best[:, 0].isneginf(), length)  # the rules allow no further word
        self._grow(arrays, best, parents, words, values, length)
        # As in model/beam_search.py: more words lower the log-probability and raise the divisor.
        bound = best[:, 0] / self.rules.max_words**self.rules.length_penalty
        arrays["free"] = arrays["free"].masked_fill(bound <= arrays["best"][:, -1], 0)
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        arrays.update({STATE + name: value[rows, parents] for name, value in state.items()})

    def _continuations(self, arrays: Arrays, log_probs: Tensor, length: int) -> tuple[Tensor, ...]:
        """The best continuations of all beams by one word, best first.

        Returns log-probability of the hypothesis, parent beam, word, and the word's log-probability; each (B, K).
        """
        log_probs = log_probs.index_fill(2, self._banned, -torch.inf)
        size = self.rules.no_repeat_ngram
        earlier = length - size + 1  # n-grams that are complete
        if size >= 1 and earlier >= 1:
            prefix = arrays["prefix"]
            same = prefix.new_ones((*prefix.shape[:2], earlier), dtype=torch.bool)
            for offset in range(size - 1):
                same &= prefix[:, :, offset : offset + earlier] == prefix[:, :, earlier + offset, None]
            forbid = torch.zeros_like(same, dtype=log_probs.dtype).masked_fill_(same, -torch.inf)
            log_probs.scatter_add_(2, prefix[:, :, size - 1 : length], forbid)
        if self.rules.no_double_word and length:
            log_probs.scatter_(2, arrays["tokens"][:, :, None], -torch.inf)
        values, words = best_words(torch, log_probs, self.beams)  # (B, K, K)
        candidates = (arrays["total"][:, :, None] + values).flatten(1)
        best, order = candidates.sort(dim=1, descending=True, stable=True)
        best, order = best[:, : self.beams], order[:, : self.beams]
        return best, order // self.beams, words.flatten(1).gather(1, order), values.flatten(1).gather(1, order)

    def _add_ends(self, arrays: Arrays, ends: Tensor, best: Tensor, length: int) -> Tensor:
        """End the hypotheses for which the end token is among the best continuations of all beams.

        best: (B, K), log-probability of the best continuations by another word. Returned with -inf in the last places,
        as many as beams have ended.
        """
        ends = ends.masked_fill(self._dangles(arrays["tokens"]), -torch.inf)
        order = torch.cat([ends, best], 1).argsort(dim=1, descending=True, stable=True)
        rank = order.argsort(1)[:, : self.beams]
        ending = (rank < arrays["free"][:, None]) & ~ends.isneginf()
        arrays["ended"][:, length * self.beams : (length + 1) * self.beams] = ending
        arrays["free"] = arrays["free"] - ending.sum(1)
        scores = arrays["scores"][:, length].masked_fill(~ending, -torch.inf)
        arrays["best"] = torch.cat([arrays["best"], scores], 1).sort(1, descending=True).values[:, : self.nbest]
        return best.masked_fill(self._slots >= arrays["free"][:, None], -torch.inf)

    def _end_all(self, arrays: Arrays, photos: Tensor, length: int) -> None:
        """End every hypothesis of these photos (bool, (B,)) before the dangling words at its tail."""
        photos = photos & (arrays["free"] > 0)
        arrays["free"] = arrays["free"].masked_fill(photos, 0)
        if length == 0:
            return
        ended, live = arrays["ended"], photos[:, None] & ~arrays["total"].isneginf()
        ended.scatter_(1, arrays["trimmed"].masked_fill(~live, 0), True)
        ended[:, 0] = False  # the place without a meaning that the others were written to
        first = length * self.beams + live.int().argmax(1, keepdim=True)
        nothing = photos & ~ended.any(1)  # only dangling words: still better than no caption
        ended.scatter_(1, first, ended.gather(1, first) | nothing[:, None])

    def _grow(self, arrays: Arrays, best: Tensor, parents: Tensor, words: Tensor, values: Tensor, length: int) -> None:
        """Continue the parents by one word each."""
        for name, value in (("parents", parents), ("words", words), ("log_probs", values)):
            arrays[name][:, length] = value
        arrays["prefix"] = arrays["prefix"].gather(1, parents[:, :, None].expand_as(arrays["prefix"]))
        arrays["prefix"][:, :, length] = words
        here = (length + 1) * self.beams + self._slots
        arrays["trimmed"] = arrays["trimmed"].gather(1, parents).where(self._dangles(words), here)
        arrays["total"], arrays["tokens"] = best, words

    def _dangles(self, words: Tensor) -> Tensor:
        return (words[..., None] == self._dangling).any(-1)


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
