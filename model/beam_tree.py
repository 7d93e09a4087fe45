"""The bookkeeping of a beam search: the tree of all hypotheses, each word with a pointer to the word before it."""

import numpy as np


class BeamTree:
    """A node (words, beam) is one hypothesis: the one that this beam held when it had this number of words.

    Lists have one entry per number of words; arrays are (batch, beams). Photos of a batch have separate trees.
    """

    def __init__(self, batch: int):
        self.batch = batch
        self.sentences = np.zeros((batch, 1, 0), dtype=np.int64)  # (batch, beams, words): the newest nodes
        self.totals = [np.zeros((batch, 1))]  # log-probability of a node; -inf: there is no such hypothesis
        self.end_log_probs: list[np.ndarray] = []  # of the end token as the next one after a node
        self.extras: list[np.ndarray | None] = []  # what the step function returned with them
        self._parents: list[np.ndarray] = []
        self._words: list[np.ndarray] = []
        self._word_log_probs: list[np.ndarray] = []

    @property
    def length(self) -> int:
        """Words of the newest nodes."""
        return len(self._parents)

    def read_ends(self, end_log_probs: np.ndarray, extra: np.ndarray | None) -> None:
        """Store what the step function returned for the newest nodes."""
        self.end_log_probs.append(end_log_probs)
        self.extras.append(extra)

    def grow(self, totals: np.ndarray, parents: np.ndarray, words: np.ndarray, log_probs: np.ndarray) -> None:
        """Continue the parents by one word each; arrays (batch, beams). The results become the newest nodes."""
        newest = self.sentences[np.arange(self.batch)[:, None], parents]
        self.sentences = np.concatenate([newest, words[:, :, None]], axis=2)
        self.totals.append(totals)
        self._parents.append(parents)
        self._words.append(words)
        self._word_log_probs.append(log_probs)

    def narrow(self, photos: np.ndarray) -> None:
        """Keep only these photos."""
        self.batch = len(photos)
        self.sentences = self.sentences[photos]
        for kept in (self.totals, self.end_log_probs, self._parents, self._words, self._word_log_probs):
            kept[:] = [values[photos] for values in kept]
        self.extras = [None if values is None else values[photos] for values in self.extras]

    def repeats(self, size: int) -> tuple[np.ndarray, ...]:
        """Photo, beam and word of each continuation that would repeat an n-gram of this size; none if it is 0."""
        earlier = self.length - size + 1  # n-grams that are complete
        if size < 1 or earlier < 1:
            return (np.zeros(0, dtype=np.int64),) * 3
        same = np.ones((*self.sentences.shape[:2], earlier), dtype=bool)
        for offset in range(size - 1):
            same &= self.sentences[:, :, offset : offset + earlier] == self.sentences[:, :, earlier + offset, None]
        photo, beam, place = np.nonzero(same)
        return photo, beam, self.sentences[photo, beam, place + size - 1]

    def path(self, photo: int, words: int, beam: int) -> list[int]:
        """The beams that held the first 0, 1, ..., `words` words of a node's hypothesis."""
        path = [beam]
        for parents in reversed(self._parents[:words]):
            path.append(int(parents[photo, path[-1]]))
        return path[::-1]

    def trace(self, photo: int, words: int, beam: int) -> tuple[tuple[int, ...], tuple[float, ...], np.ndarray | None]:
        """The hypothesis of a node: its words, their log-probabilities and that of the end, and the extras.

        The extras are (words + 1, ...), or None if the step function returns none.
        """
        path = self.path(photo, words, beam)
        tokens = tuple(int(self._words[at][photo, slot]) for at, slot in enumerate(path[1:]))
        log_probs = [float(self._word_log_probs[at][photo, slot]) for at, slot in enumerate(path[1:])]
        log_probs.append(float(self.end_log_probs[words][photo, beam]))
        beside = [extra[photo, slot] for extra, slot in zip(self.extras, path, strict=False) if extra is not None]
        return tokens, tuple(log_probs), np.array(beside) if beside else None
