"""The pipeline's third stage: a batch of photos through the model, and its predictions as results for the database."""

import time
from typing import Any

import numpy as np

from db.captions import NONE_LEFT, Result
from model.captioner import Prediction
from worker.job_types import EngineInput, Job
from worker.stages import Failed, Outcome, Ready

ALTERNATIVES = 2  # sentences kept beside the best one


def run_engine(jobs: list[Job[EngineInput]]) -> list[Outcome[Job[Result]]]:
    """Caption one batch, whose inputs are of one kind. "Another one" that would repeat a sentence fails."""
    inputs = [job.value for job in jobs]
    first = inputs[0]
    start = time.perf_counter()
    predictions = first.model.captioner.caption(
        [one.photo for one in inputs],
        beams=first.beams,
        nbest=min(first.beams, 1 + ALTERNATIVES),
        length=first.length,
        exclude=[one.exclude for one in inputs],
    )
    milliseconds = 1000 * (time.perf_counter() - start)
    return [
        Failed(NONE_LEFT)
        if _is_repeated(prediction, job.value.exclude)
        else Ready(job.with_value(_result(prediction, first.model.version, milliseconds, len(jobs))))
        for job, prediction in zip(jobs, predictions, strict=True)
    ]


def _is_repeated(prediction: Prediction, exclude: frozenset[tuple[str, ...]]) -> bool:
    """What is no photo has one sentence."""
    return bool(exclude) and (not prediction.is_photo or tuple(prediction.words) in exclude)


def attention_maps(attention: np.ndarray) -> dict[str, Any]:
    """Attention weights as the database stores them.

    Args:
        attention: (words, rows, columns), at least 0.

    Returns:
        `rows`, `columns`, and `maps`: for each word a list of rows * columns whole numbers, scaled so that the region
        with the most attention has 255.
    """
    words, rows, columns = attention.shape
    most = np.maximum(attention.max(axis=(1, 2), keepdims=True, initial=0), 1e-9)
    maps = np.rint(attention / most * 255).astype(int).reshape(words, rows * columns)
    return {"rows": rows, "columns": columns, "maps": maps.tolist()}


def _result(prediction: Prediction, version: str, milliseconds: float, batch_size: int) -> Result:
    return Result(
        text=prediction.text,
        confidence=prediction.confidence,
        hedged=prediction.hedged,
        is_photo=prediction.is_photo,
        words=list(prediction.words),
        alternatives=list(prediction.alternatives),
        attention=None if prediction.attention is None else attention_maps(prediction.attention),
        model_version=version,
        milliseconds=milliseconds,
        encode_milliseconds=1000 * prediction.encode_seconds,
        batch_size=batch_size,
    )
