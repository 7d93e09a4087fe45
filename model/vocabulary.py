"""Words and their numbers."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from model.errors import DamagedModel

PAD, START, END, UNK = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unk>")


class Vocabulary:
    """A fixed list of words; the first four are `SPECIAL`. Immutable."""

    def __init__(self, words: Sequence[str]):
        if tuple(words[:4]) != SPECIAL:
            raise DamagedModel(f"a vocabulary must begin with {' '.join(SPECIAL)}")
        if len(set(words)) != len(words):
            raise DamagedModel("a vocabulary must name each word once")
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], min_count: int = 5) -> Self:
        """All words seen at least `min_count` times, most frequent first; ties in alphabetical order."""
        counts = Counter(word for sentence in sentences for word in sentence)
        kept = [word for word, count in counts.items() if count >= min_count and word not in SPECIAL]
        return cls([*SPECIAL, *sorted(kept, key=lambda word: (-counts[word], word))])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def encode(self, words: Iterable[str]) -> list[int]:
        """Numbers of the words, `UNK` for an unknown one; without start and end."""
        return [self._ids.get(word, UNK) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Words up to the end token; start and pad are left out."""
        words = []
        for number in ids:
            if number == END:
                break
            if number not in (PAD, START):
                words.append(self.words[number])
        return words

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises DamagedModel if it is something else."""
        try:
            words = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise DamagedModel(f"{path}: not a vocabulary ({error})") from None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise DamagedModel(f"{path}: a vocabulary is a JSON list of words")
        try:
            return cls(words)
        except DamagedModel as error:
            raise DamagedModel(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Write the words as a JSON list, one a line."""
        path.write_text(json.dumps(self.words, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
