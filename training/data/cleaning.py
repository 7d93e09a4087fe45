"""Which captions are worth learning from."""

from collections.abc import Iterable, Sequence

from training.data.report import Report
from training.metrics.tokenizer import tokenize

Words = tuple[str, ...]


def clean(captions: Iterable[str], photo: str, split: str, report: Report) -> tuple[Words, ...]:
    """Captions as words, in their order; what is dropped goes into the report.

    Captions without a word are always dropped. Those of one word, and repetitions for the same photo, are dropped
    from `train` only: `val` and `test` keep their references as published, so that scores compare with papers.
    Long captions stay; training cuts them.
    """
    kept: list[Words] = []
    for caption in captions:
        words = tuple(tokenize(caption))
        if not words:
            report.drop("caption without words", photo)
        elif split == "train" and len(words) == 1:
            report.drop("training caption of one word", f"{photo} ({words[0]})")
        elif split == "train" and words in kept:
            report.drop("training caption that repeats another of its photo", photo)
        else:
            kept.append(words)
    return tuple(kept)


def names_a_side(caption: Sequence[str] | str) -> bool:
    """Does the caption (words, or a sentence) say left or right? It would be false of the mirrored photo.

    Rather too often than too seldom: "a man left the room" and "left-handed" count as well.
    """
    words = caption.lower().split() if isinstance(caption, str) else caption
    return any(word.startswith(("left", "right")) for word in words)
