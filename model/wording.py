"""Words that do not guess at sex or age: a person instead of a man or a woman, a child instead of a boy or a girl."""

from collections.abc import Sequence

NEUTRAL = {
    **dict.fromkeys(("man", "woman", "guy", "lady", "gentleman", "male", "female"), "person"),
    **dict.fromkeys(("men", "women", "guys", "ladies", "gentlemen", "males", "females"), "people"),
    **dict.fromkeys(("boy", "girl"), "child"),
    **dict.fromkeys(("boys", "girls"), "children"),
    **dict.fromkeys(("he", "she"), "they"),
    "him": "them",
    **dict.fromkeys(("his", "her", "hers"), "their"),
    **dict.fromkeys(("himself", "herself"), "themselves"),
}
PLURAL = {"is": "are", "was": "were", "has": "have"}  # what follows "they"


def neutral(words: Sequence[str]) -> list[str]:
    """A word for each word, so that what belongs to a word (probability, attention) still does."""
    said: list[str] = []
    for word in words:
        if said and said[-1] == "they":
            word = PLURAL.get(word, word)
        said.append(NEUTRAL.get(word, word))
    return [_article(word, said[at + 1 : at + 2]) for at, word in enumerate(said)]


def _article(word: str, following: Sequence[str]) -> str:
    """An "an" was for the word that stood there."""
    return "a" if word == "an" and following and following[0] in NEUTRAL.values() else word
