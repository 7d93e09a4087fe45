"""Tokenises captions and drops those that are useless for training."""

from collections.abc import Sequence

from training.data.raw import HUMAN, RawPhoto
from training.data.report import Report
from training.metrics.tokenizer import tokenize

Words = tuple[str, ...]


def clean(photo: RawPhoto, split: str, report: Report) -> list[tuple[Words, str]]:
    """Tokenise the captions of a photo, in their order; each one that is dropped is named in the report.

    Captions without a word are always dropped. Captions that are no sentence (of one word; of two if nobody wrote them,
    such as "red trees"), and duplicates of the same photo, are dropped in `train` only: `val` and `test` keep their
    references as published, so that scores compare with papers. Long captions are kept; training truncates them.

    Returns:
        The words and the source of each caption that is kept.
    """
    kept: list[tuple[Words, str]] = []
    seen: set[Words] = set()
    sources = photo.sources or [HUMAN] * len(photo.captions)
    for caption, source in zip(photo.captions, sources, strict=True):
        words = tuple(tokenize(caption))
        if not words:
            report.drop("caption without words", photo.name)
        elif split == "train" and len(words) <= (1 if source == HUMAN else 2):
            report.drop("training caption that is no sentence", f"{photo.name} ({' '.join(words)})")
        elif split == "train" and words in seen:
            report.drop("training caption that repeats another of its photo", photo.name)
        else:
            kept.append((words, source))
            seen.add(words)
    return kept


def mentions_side(caption: Sequence[str] | str) -> bool:
    """Whether a caption (words, or a sentence) mentions left or right, which would be wrong for the mirrored photo.

    False positives are accepted: "a man left the room" and "left-handed" count as well.
    """
    words = caption.lower().split() if isinstance(caption, str) else caption
    return any(word.startswith(("left", "right")) for word in words)
