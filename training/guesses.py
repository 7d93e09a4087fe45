"""How often a model's guesses at the sex and age of people are not what the photo's references say."""

from collections.abc import Mapping, Sequence
from typing import Any

SEX = {
    "male": frozenset("man men boy boys guy guys male males gentleman gentlemen he his him".split()),
    "female": frozenset("woman women girl girls lady ladies female females she her".split()),
}
AGE = {
    "grown-up": frozenset("man men woman women guy guys lady ladies adult adults gentleman gentlemen".split()),
    "child": frozenset("boy boys girl girls child children kid kids toddler toddlers baby babies".split()),
}

Words = Sequence[str]


def judge_guesses(said: Sequence[Words], references: Sequence[Sequence[Words]]) -> dict[str, Any]:
    """For sex and for age: captions that guess one kind alone, and what share of them each answer of the references is.

    wrong: references name only the other kind. unsaid: they name neither. An honest model guesses where people did.
    """
    return {name: _judge(kinds, said, references) for name, kinds in (("sex", SEX), ("age", AGE))}


def _judge(
    kinds: Mapping[str, frozenset[str]], said: Sequence[Words], references: Sequence[Sequence[Words]]
) -> dict[str, float]:
    guesses = wrong = unsaid = 0
    for words, others in zip(said, references, strict=True):
        named, known = _named(kinds, words), _named(kinds, [word for line in others for word in line])
        if len(named) != 1:  # nobody, or both
            continue
        guesses += 1
        unsaid += not known
        wrong += bool(known) and not named & known
    return {"guesses": guesses, "wrong": wrong / max(1, guesses), "unsaid": unsaid / max(1, guesses)}


def _named(kinds: Mapping[str, frozenset[str]], words: Words) -> set[str]:
    return {kind for kind, names in kinds.items() if not names.isdisjoint(words)}
