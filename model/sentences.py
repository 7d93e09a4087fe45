"""Between words and sentences: what decoding may say, and how it is written for people."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from model.beam_search import Rules
from model.config import ModelConfig
from model.vocabulary import END, PAD, START, UNK, Vocabulary

# Words that need another one behind them: a sentence that ends on one was cut off. Of the human captions of Flickr8k in
# which such a word stands, at most one in 47 ends on it ("a crowd looks on"), mostly none. "her" is not here ("a girl
# with a dog beside her"), nor is any preposition that people do end on, such as "up", "behind" or "below".
_NEEDS_ANOTHER_WORD = """
    a an the this that these those its his my your our their some very
    and or but nor as than while who which whose
    of with without in on at to into onto from for near next through under between beside along across against during
    toward towards like
    is are was were be being been am has have
"""
DANGLING = tuple(_NEEDS_ANOTHER_WORD.split())

Length = Literal["short", "normal", "long"]
SHORT_WORDS = 8  # fewer, and most sentences lack their end
LONG_PENALTY = 2.0  # of the length; more changes nothing further


def decoding_rules(config: ModelConfig, vocabulary: Vocabulary) -> Rules:
    """What sentences of this model may look like. Training chooses checkpoints with the same rules as serving uses."""
    dangling = vocabulary.encode(word for word in DANGLING if word in vocabulary)
    return Rules(
        start=START,
        end=END,
        max_words=config.max_words,
        forbidden=(PAD, START, UNK),
        dangling=tuple(dangling),
        length_penalty=config.length_penalty,
    )


def rules_of_length(rules: Rules, length: Length) -> Rules:
    """What a person asks for who wants shorter or longer sentences than the model thinks best."""
    if length == "short":
        return dataclasses.replace(rules, max_words=min(SHORT_WORDS, rules.max_words), length_penalty=0)
    if length == "long":
        return dataclasses.replace(rules, length_penalty=max(LONG_PENALTY, rules.length_penalty))
    return rules


def sentence(words: Sequence[str]) -> str:
    """Words as people write them: a capital at the start, a full stop at the end."""
    text = " ".join(words)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def hedge(words: Sequence[str]) -> str:
    """The same for a caption that may well be wrong."""
    return f"Could be: {' '.join(words)}."
