"""METEOR is left out without Java, or with a Java that fails. test_metrics_pinned has its values."""

import time

import numpy as np
import pytest

from training.metrics.meteor import COUNTS, meteor_of_totals, meteor_statistics

CAPTIONS, REFERENCES = [["a", "dog"]], [[["a", "dog", "runs"]]]


@pytest.fixture
def java(tmp_path, monkeypatch):
    """java("exit 1"): a program of that name and content, the only one that can be found."""

    def install(script: str) -> None:
        pytest.importorskip("pycocoevalcap")
        program = tmp_path / "java"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


def test_without_java_there_is_a_reason_instead_of_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert meteor_statistics(CAPTIONS, REFERENCES) == (None, "Java is not installed")


@pytest.mark.parametrize("script", ["exit 1", "read line; echo Error: no memory"])
def test_a_java_that_fails_gives_a_reason(java, script):
    java(script)
    counts, reason = meteor_statistics(CAPTIONS * 1000, REFERENCES * 1000)
    assert counts is None
    assert "failed" in reason


def test_a_java_that_never_answers_is_stopped(java):
    java("exec /bin/sleep 60")
    started = time.monotonic()
    counts, reason = meteor_statistics(CAPTIONS, REFERENCES, seconds=0.3)
    assert counts is None
    assert "more than 0.3 seconds" in reason
    assert time.monotonic() - started < 10


def test_the_same_sentence_scores_one_and_nothing_in_common_zero():
    same = [4, 4, 1, 1, 3, 3, 1, 1, *[0] * 12, 0, 4, 4]
    nothing = [4, 4, 1, 1, *[0] * (COUNTS - 4)]
    assert meteor_of_totals(np.array([same, nothing], float)).tolist() == [1, 0]
