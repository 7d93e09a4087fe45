"""Which corrections are worth learning from. What is not is quarantined, with the reason, until an admin looks at it.

It judges form, not truth: whether a sentence fits its photo is seen in training (see training/feedback.py).
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

WORDS = (3, 30)  # fewest and most
CHARACTERS = 200
LETTERS = 0.75  # share of the characters, spaces aside, that must be Latin letters
UNKNOWN = 0.34  # share of the words that the model may not know
COPIES = 3  # photos that one person may describe with the same sentence

_LINK = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|net|org|io|me|gg|ru|xyz|info|biz|shop|site|online|app|ly)\b", re.I)
_MENTION = re.compile(r"(?<!\w)[@#]\w|<[@#:]|\bt\.me\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_LETTER = re.compile(r"[A-Za-zÀ-ÖØ-öø-ſ]")
_STUTTER = re.compile(r"(\w)\1{3}|(\b\w+\b)(?:\W+\2\b){2}", re.I)  # soooo; dog dog dog


def words_of(text: str) -> list[str]:
    """The words of a sentence in lower case; marks are left out."""
    return [word.lower() for word in _WORD.findall(text)]


def reason_against(text: str, shown: str = "", known: Collection[str] | None = None) -> str | None:
    """Why this correction is not to be learnt from, in a few words; None: it is accepted.

    shown: the caption that it corrects. known: the model's words; without them the language is not looked at.
    """
    words = words_of(text)
    visible = "".join(text.split())
    if len(text) > CHARACTERS:
        return f"longer than {CHARACTERS} characters"
    if not WORDS[0] <= len(words) <= WORDS[1]:
        return f"{len(words)} words; {WORDS[0]} to {WORDS[1]} are taken"
    if _LINK.search(text):
        return "a link"
    if _MENTION.search(text):
        return "a mention"
    if len(_LETTER.findall(visible)) < LETTERS * len(visible):
        return "too many signs that are no letters"
    if profane := sorted({*words} & profanity()):
        return f"profanity: {', '.join(profane)}"
    if _STUTTER.search(text):
        return "repeats itself"
    if words == words_of(shown):
        return "the same as the caption"
    unknown = [word for word in words if known is not None and word not in known]
    if len(unknown) > UNKNOWN * len(words):
        return f"words the model does not know: {', '.join(unknown)}"
    return None


def copied(corrections: Sequence[tuple[int, int, str]]) -> set[tuple[int, str]]:
    """Of (person, photo, text): which persons gave which sentence, as its words, to more than COPIES photos."""
    photos: dict[tuple[int, str], set[int]] = {}
    for person, photo, text in corrections:
        photos.setdefault((person, " ".join(words_of(text))), set()).add(photo)
    return {key for key, seen in photos.items() if len(seen) > COPIES}


@cache
def profanity() -> frozenset[str]:
    """The words in profanity.txt."""
    lines = Path(__file__).with_name("profanity.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
