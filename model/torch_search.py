"""Beam search where the network is: what beam_search.py does, word by word, as arithmetic on tensors of fixed shape.

Nothing here waits for the device or looks at a value, so a GPU is never idle between two words and several words can be
recorded as one CUDA graph. beam_search.py says what a search is; the tests hold this one to it.

Letters in shape comments: B photos; K beams; L the most words; V words in the vocabulary; R cells of the grid; N
sentences wanted of each photo.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from model.beam_search import Rules, best_words

Arrays = dict[str, Tensor]
Step = Callable[[Tensor, Arrays, Arrays], tuple[Tensor, Arrays, Tensor | None]]  # TorchEngine.step
STATE, MEMORY = "state.", "memory."  # what names of a decoder's arrays begin with among those of the search


class TorchSearch:
    """The search for one width and one set of rules. All it knows of its photos is in a dictionary, batch first.

    `total` (B, K) is the log-probability of the newest sentences, -inf where there is none; `free` (B,) counts the
    beams that no ended sentence has taken, 0 when the photo is done; `kept` (B, (L + 1) * K) marks the ended ones by
    number of words and beam. `sound` (B, K) is the place in `kept` of a sentence without its dangling tail, 0: none.
    """

    def __init__(self, step: Step, *, beams: int, rules: Rules, nbest: int, device: torch.device):
        if not 1 <= nbest <= beams:
            raise ValueError(f"nbest must be from 1 to beams ({beams}), not {nbest}")
        self.step, self.beams, self.rules, self.nbest = step, beams, rules, nbest
        self.steps = rules.max_words + 1  # the last one only closes what is unfinished
        # Before the first word, so that nothing is copied to the device later.
        self._banned = torch.tensor([*rules.forbidden, rules.end], device=device)
        self._dangling = torch.tensor(rules.dangling, dtype=torch.int64, device=device)
        self._slots = torch.arange(beams, device=device)

    def begin(self, memory: Arrays, state: Arrays) -> Arrays:
        """What `encode` gave -> the arrays of a search that has said nothing."""
        leaf = next(iter(state.values()))
        batch, width, most = len(leaf), self.beams, self.rules.max_words
        total = leaf.new_full((batch, width), -torch.inf, dtype=torch.float64)
        total[:, 0] = 0  # one sentence: nothing
        nodes, words = (batch, most + 1, width), (batch, most, width)
        return {
            "tokens": leaf.new_full((batch, width), self.rules.start, dtype=torch.int64),
            "total": total,
            "free": leaf.new_full((batch,), width, dtype=torch.int64),
            "sound": leaf.new_zeros((batch, width), dtype=torch.int64),
            "best": leaf.new_full((batch, self.nbest), -torch.inf, dtype=torch.float64),  # scores of the ended
            "said": leaf.new_zeros((batch, width, most), dtype=torch.int64),
            "kept": leaf.new_zeros((batch, (most + 1) * width), dtype=torch.bool),
            "scores": leaf.new_zeros(nodes, dtype=torch.float64),  # of every sentence if it ended here
            "ends": leaf.new_zeros(nodes, dtype=torch.float32),
            "parents": leaf.new_zeros(words, dtype=torch.int64),
            "words": leaf.new_zeros(words, dtype=torch.int64),
            "log_probs": leaf.new_zeros(words, dtype=torch.float32),
            **{MEMORY + name: value for name, value in memory.items()},
            **{STATE + name: value.expand(-1, width, *value.shape[2:]) for name, value in state.items()},
        }

    def word(self, arrays: Arrays, length: int) -> None:
        """One word more, for sentences that have so many. Changes the arrays in place, or replaces them."""
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
            self._close(arrays, arrays["free"] > 0, length)
            return
        best, parents, words, values = self._continuations(arrays, log_probs, length)
        if length:
            best = self._add_ends(arrays, ends, best, length)
        self._close(arrays, best[:, 0].isneginf(), length)  # the rules allow no other word
        self._grow(arrays, best, parents, words, values, length)
        # As in beam_search.py: no continuation can reach more than its own log-probability over the most words.
        bound = best[:, 0] / self.rules.max_words**self.rules.length_penalty
        arrays["free"] = arrays["free"].masked_fill(bound <= arrays["best"][:, -1], 0)
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        arrays.update({STATE + name: value[rows, parents] for name, value in state.items()})

    def _continuations(self, arrays: Arrays, log_probs: Tensor, length: int) -> tuple[Tensor, ...]:
        """The best of all beams by another word, best first, each (B, K).

        Log-probability of the sentence, parent, word, the word's own log-probability.
        """
        log_probs = log_probs.index_fill(2, self._banned, -torch.inf)
        size = self.rules.no_repeat_ngram
        earlier = length - size + 1  # n-grams that are complete
        if size >= 1 and earlier >= 1:
            said = arrays["said"]
            same = said.new_ones((*said.shape[:2], earlier), dtype=torch.bool)
            for offset in range(size - 1):
                same &= said[:, :, offset : offset + earlier] == said[:, :, earlier + offset, None]
            forbid = torch.zeros_like(same, dtype=log_probs.dtype).masked_fill_(same, -torch.inf)
            log_probs.scatter_add_(2, said[:, :, size - 1 : length], forbid)
        values, words = best_words(torch, log_probs, self.beams)  # (B, K, K)
        candidates = (arrays["total"][:, :, None] + values).flatten(1)
        best, order = candidates.sort(dim=1, descending=True, stable=True)
        best, order = best[:, : self.beams], order[:, : self.beams]
        return best, order // self.beams, words.flatten(1).gather(1, order), values.flatten(1).gather(1, order)

    def _add_ends(self, arrays: Arrays, ends: Tensor, best: Tensor, length: int) -> Tensor:
        """Keep the sentences that end here, where that is among the best of all continuations.

        best: (B, K), by another word. Gives it back with -inf for those whose beam is now taken.
        """
        ends = ends.masked_fill(self._dangles(arrays["tokens"]), -torch.inf)
        order = torch.cat([ends, best], 1).argsort(dim=1, descending=True, stable=True)
        rank = order.argsort(1)[:, : self.beams]
        ending = (rank < arrays["free"][:, None]) & ~ends.isneginf()
        arrays["kept"][:, length * self.beams : (length + 1) * self.beams] = ending
        arrays["free"] = arrays["free"] - ending.sum(1)
        scores = arrays["scores"][:, length].masked_fill(~ending, -torch.inf)
        arrays["best"] = torch.cat([arrays["best"], scores], 1).sort(1, descending=True).values[:, : self.nbest]
        return best.masked_fill(self._slots >= arrays["free"][:, None], -torch.inf)

    def _close(self, arrays: Arrays, photos: Tensor, length: int) -> None:
        """End every sentence of these photos (bool, (B,)) before the dangling words at its tail."""
        photos = photos & (arrays["free"] > 0)
        arrays["free"] = arrays["free"].masked_fill(photos, 0)
        if length == 0:
            return
        kept, live = arrays["kept"], photos[:, None] & ~arrays["total"].isneginf()
        kept.scatter_(1, arrays["sound"].masked_fill(~live, 0), True)
        kept[:, 0] = False  # where those went that stood nowhere
        first = length * self.beams + live.int().argmax(1, keepdim=True)
        nothing = photos & ~kept.any(1)  # but dangling words: better than saying nothing
        kept.scatter_(1, first, kept.gather(1, first) | nothing[:, None])

    def _grow(self, arrays: Arrays, best: Tensor, parents: Tensor, words: Tensor, values: Tensor, length: int) -> None:
        for name, value in (("parents", parents), ("words", words), ("log_probs", values)):
            arrays[name][:, length] = value
        arrays["said"] = arrays["said"].gather(1, parents[:, :, None].expand_as(arrays["said"]))
        arrays["said"][:, :, length] = words
        here = (length + 1) * self.beams + self._slots
        arrays["sound"] = arrays["sound"].gather(1, parents).where(self._dangles(words), here)
        arrays["total"], arrays["tokens"] = best, words

    def _dangles(self, words: Tensor) -> Tensor:
        return (words[..., None] == self._dangling).any(-1)


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
