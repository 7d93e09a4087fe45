"""Neutral wording: a person instead of a man or a woman, a child instead of a boy or a girl."""

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
    """Replace words for gender and age, one by one, so that probabilities and attention still belong to them."""
    replaced: list[str] = []
    for word in words:
        if replaced and replaced[-1] == "they":
            word = PLURAL.get(word, word)
        replaced.append(NEUTRAL.get(word, word))
    return [_article(word, replaced[at + 1 : at + 2]) for at, word in enumerate(replaced)]


def _article(word: str, following: Sequence[str]) -> str:
    """No neutral word takes the article "an" of the word that it replaced."""
    return "a" if word == "an" and following and following[0] in NEUTRAL.values() else word
