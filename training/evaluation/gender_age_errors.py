"""How often captions name a gender or an age that the photo's references do not."""

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


def gender_age_errors(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> dict[str, Any]:
    """Count errors about people's sex and age.

    Args:
        captions: words of a model's caption of each photo.
        references: words of the photo's reference captions.

    Returns:
        For sex and for age: `guesses`, the number of captions that name exactly one kind (male or female; grown-up or
        child); and of these the share `wrong`, whose references name only the other kind, and the share `unsaid`, whose
        references name neither.
    """
    return {name: _count_errors(kinds, captions, references) for name, kinds in (("sex", SEX), ("age", AGE))}


def _count_errors(
    kinds: Mapping[str, frozenset[str]], captions: Sequence[Words], references: Sequence[Sequence[Words]]
) -> dict[str, float]:
    guesses = wrong = unsaid = 0
    for words, others in zip(captions, references, strict=True):
        named, known = _named_kinds(kinds, words), _named_kinds(kinds, [word for line in others for word in line])
        if len(named) != 1:  # nobody, or both
            continue
        guesses += 1
        unsaid += not known
        wrong += bool(known) and not named & known
    return {"guesses": guesses, "wrong": wrong / max(1, guesses), "unsaid": unsaid / max(1, guesses)}


def _named_kinds(kinds: Mapping[str, frozenset[str]], words: Words) -> set[str]:
    return {kind for kind, names in kinds.items() if not names.isdisjoint(words)}
