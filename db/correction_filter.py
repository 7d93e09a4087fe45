"""Decides from its form whether a correction may be used for training. Others are quarantined for an admin's review.

Whether a sentence fits its photo is not checked here but before training: see training/feedback/plausibility.py.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

WORDS = (3, 30)  # minimum and maximum
CHARACTERS = 200  # maximum
LETTERS = 0.75  # minimum share of Latin letters among the characters that are not spaces
UNKNOWN = 0.34  # maximum share of words that are not in the model's vocabulary
COPIES = 3  # maximum number of photos for which one person may write the same sentence

_LINK = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|net|org|io|me|gg|ru|xyz|info|biz|shop|site|online|app|ly)\b", re.I)
_MENTION = re.compile(r"(?<!\w)[@#]\w|<[@#:]|\bt\.me\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_LETTER = re.compile(r"[A-Za-zÀ-ÖØ-öø-ſ]")
_REPETITION = re.compile(r"(\w)\1{3}|(\b\w+\b)(?:\W+\2\b){2}", re.I)  # soooo; dog dog dog


def words_of(text: str) -> list[str]:
    """The words of a sentence in lower case, without punctuation."""
    return [word.lower() for word in _WORD.findall(text)]


def rejection_reason(text: str, shown: str = "", known: Collection[str] | None = None) -> str | None:
    """Why a correction is quarantined, in a few words; None if it is accepted.

    Args:
        shown: the caption that is corrected.
        known: the model's vocabulary; None skips the check for unknown words, which finds other languages.
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
    if _REPETITION.search(text):
        return "repeats itself"
    if words == words_of(shown):
        return "the same as the caption"
    unknown = [word for word in words if known is not None and word not in known]
    if len(unknown) > UNKNOWN * len(words):
        return f"words the model does not know: {', '.join(unknown)}"
    return None


def copied_sentences(corrections: Sequence[tuple[int, int, str]]) -> set[tuple[int, str]]:
    """Sentences that one person wrote for more than COPIES photos.

    Args:
        corrections: (person, photo, text) of each.

    Returns:
        (person, sentence) pairs; a sentence is given as its words, separated by spaces.
    """
    photos: dict[tuple[int, str], set[int]] = {}
    for person, photo, text in corrections:
        photos.setdefault((person, " ".join(words_of(text))), set()).add(photo)
    return {key for key, seen in photos.items() if len(seen) > COPIES}


@cache
def profanity() -> frozenset[str]:
    """The words listed in profanity.txt."""
    lines = Path(__file__).with_name("profanity.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
