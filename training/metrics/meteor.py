"""METEOR 1.5 (Denkowski and Lavie 2014), with the Java program that comes with pycocoevalcap.

The program aligns words by identity, stem, synonym and paraphrase, for which it has tables, and returns 23 counts for
each photo. The score is a short formula over the summed counts. It is computed here, so that a bootstrap needs no
second run. Without Java or pycocoevalcap METEOR is left out, which is not an error.
"""

import importlib.util
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import numpy as np

COUNTS = 23

# METEOR 1.5's parameters for English, tuned on human rankings (Denkowski and Lavie 2014, table 3).
_ALPHA, _BETA, _GAMMA, _DELTA = 0.85, 0.2, 0.6, 0.75
_MATCH_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])  # exact, stem, synonym, paraphrase


def meteor_statistics(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]], *, seconds: float = 600
) -> tuple[np.ndarray | None, str]:
    """Count alignments of each photo's caption with its best reference.

    Args:
        seconds: time limit of the Java program, which takes about ten seconds to start.

    Returns:
        float64 (photos, 23) for `meteor_of_totals`, and ""; or None, and why METEOR is not available.
    """
    java, jar = shutil.which("java"), _jar()
    if java is None:
        return None, "Java is not installed"
    if jar is None:
        return None, "pycocoevalcap is not installed"
    pairs = list(zip(hypotheses, references, strict=True))
    # It looks for its table of paraphrases in cwd. Its errors are discarded, because a full pipe would block it.
    command = [java, "-Xmx2G", "-Dfile.encoding=UTF-8", "-jar", jar.name, "-", "-", "-stdio", "-l", "en", "-norm"]
    try:
        with Popen(command, cwd=jar.parent, encoding="utf-8", stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
            watchdog = threading.Timer(seconds, process.kill)  # readline() then returns at the end of the file
            watchdog.start()
            try:
                rows = [_counts(process, *pair) for pair in pairs]
            finally:
                watchdog.cancel()
                process.kill()
    except (OSError, ValueError):
        return None, f"METEOR's Java program failed, or took more than {seconds:g} seconds"
    return np.array(rows).reshape(-1, COUNTS), ""


def meteor_of_totals(totals: np.ndarray) -> np.ndarray:
    """Summed counts (..., 23) -> METEOR (...), 0 to 1.

    The columns are: words of hypothesis and reference; function words of both; for each kind of match the matched
    content words of both and function words of both; chunks (runs of matches in the same order); matched words of both.
    """
    words, function_words = totals[..., 0:2], totals[..., 2:4]
    matches = totals[..., 4:20].reshape(*totals.shape[:-1], 4, 2, 2)  # kind, content or function, side
    chunks, matched = totals[..., 20], totals[..., 21:23]

    found = _MATCH_WEIGHTS @ (_DELTA * matches[..., 0, :] + (1 - _DELTA) * matches[..., 1, :])
    total = _DELTA * (words - function_words) + (1 - _DELTA) * function_words
    precision, recall = np.moveaxis(_divide(found, total), -1, 0)
    mean = _divide(precision * recall, _ALPHA * precision + (1 - _ALPHA) * recall)

    fragmentation = _divide(chunks, matched.mean(axis=-1))
    return mean * (1 - _GAMMA * fragmentation**_BETA)


def _counts(process: Popen[str], hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """Send one request and read the counts. Raises ValueError or OSError if the program has ended."""
    sentences = [" ".join(tokens) for tokens in [*references, hypothesis]]
    assert process.stdin is not None
    assert process.stdout is not None
    print("SCORE", *sentences, sep=" ||| ", file=process.stdin, flush=True)
    counts = [float(number) for number in process.stdout.readline().split()]
    if len(counts) != COUNTS:
        raise ValueError("METEOR returned no counts")
    if counts[20] == 1 and counts[21:23] == counts[0:2]:
        counts[20] = 0  # the same sentence: METEOR counts no chunk, so that it scores 1
    return counts


def _jar() -> Path | None:
    package = importlib.util.find_spec("pycocoevalcap")
    folders = (package and package.submodule_search_locations) or ()
    return next((jar for folder in folders if (jar := Path(folder, "meteor", "meteor-1.5.jar")).is_file()), None)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
