"""Captions as text: which words decoding may choose and end on, and how a caption is written for people."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from model.config import ModelConfig
from model.hypotheses import Rules
from model.vocabulary import END, PAD, START, UNK, Vocabulary

# Words that need another one after them: a caption that ends on one was cut off. Of the human captions of Flickr8k that
# contain such a word, at most one in 47 ends on it ("a crowd looks on"), for most of the words none. "her" is not here
# ("a girl with a dog beside her"), nor is any preposition that people do end on, such as "up", "behind" or "below".
_NEEDS_ANOTHER_WORD = """
    a an the this that these those its his my your our their some very
    and or but nor as than while who which whose
    of with without in on at to into onto from for near next through under between beside along across against during
    toward towards like
    is are was were be being been am has have
"""
DANGLING = tuple(_NEEDS_ANOTHER_WORD.split())

Length = Literal["short", "normal", "long"]
SHORT_WORDS = 8  # with a lower limit most captions would be cut off
LONG_PENALTY = 2.0  # length penalty; a higher one makes no difference


def decoding_rules(config: ModelConfig, vocabulary: Vocabulary) -> Rules:
    """The rules of beam search for a model, the same when serving and when training chooses a checkpoint."""
    dangling = vocabulary.encode(word for word in DANGLING if word in vocabulary)
    return Rules(
        start=START,
        end=END,
        max_words=config.max_words,
        forbidden=(PAD, START, UNK),
        dangling=tuple(dangling),
        no_double_word=True,
        length_penalty=config.length_penalty,
    )


def rules_of_length(rules: Rules, length: Length) -> Rules:
    """The same rules for people who prefer shorter or longer captions."""
    if length == "short":
        return dataclasses.replace(rules, max_words=min(SHORT_WORDS, rules.max_words), length_penalty=0)
    if length == "long":
        return dataclasses.replace(rules, length_penalty=max(LONG_PENALTY, rules.length_penalty))
    return rules


def sentence(words: Sequence[str]) -> str:
    """The words as a sentence, with a capital and a full stop."""
    text = " ".join(words)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def hedge(words: Sequence[str]) -> str:
    """The sentence for a caption with low confidence."""
    return f"Could be: {' '.join(words)}."
