"""The vocabulary: words and the tokens, whole numbers, that stand for them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, TypeAdapter

from model.errors import DamagedModel
from model.json_files import read_as

PAD, START, END, UNK = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unk>")
# Words are shown to people: none is empty, holds a control character, or is longer than any real one.
WORDS = TypeAdapter(Annotated[list[Annotated[str, Field(pattern=r"^[^\p{Cc}]{1,1000}$")]], Field(max_length=200_000)])


class Vocabulary:
    """An immutable list of words; a word's place is its token. The first four are `SPECIAL`."""

    def __init__(self, words: Sequence[str]):
        if tuple(words[:4]) != SPECIAL:
            raise DamagedModel(f"a vocabulary must begin with {' '.join(SPECIAL)}")
        if len(set(words)) != len(words):
            raise DamagedModel("a vocabulary must name each word once")
        self.words = tuple(words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], min_count: int = 5) -> Self:
        """The words that occur at least `min_count` times, most frequent first, then in alphabetical order."""
        counts = Counter(word for sentence in sentences for word in sentence)
        kept = [word for word, count in counts.items() if count >= min_count and word not in SPECIAL]
        return cls([*SPECIAL, *sorted(kept, key=lambda word: (-counts[word], word))])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def encode(self, words: Iterable[str]) -> list[int]:
        """Tokens of the words, `UNK` for an unknown one; without start and end."""
        return [self._ids.get(word, UNK) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words before the end token; start and padding are left out."""
        words = []
        for number in ids:
            if number == END:
                break
            if number not in (PAD, START):
                words.append(self.words[number])
        return words

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises DamagedModel."""
        words = read_as(WORDS, path, "a vocabulary, which is a JSON list of words")
        try:
            return cls(words)
        except DamagedModel as error:
            raise DamagedModel(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Write the words as a JSON list, one per line."""
        path.write_text(json.dumps(self.words, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
