"""What a message becomes on its way through a worker, and what the engine makes of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from db.captions import Claimed, Result
from model.captioner import Caption as Said
from model.sentences import Length
from worker.current_model import LoadedModel

ALTERNATIVES = 2  # sentences kept beside the best one


@dataclass(frozen=True)
class Message:
    """A row is to be captioned."""

    row: int
    done: Callable[[], None]  # called once, on a thread of ours, when the row needs nothing more of this worker


@dataclass(frozen=True)
class Work:
    """A row that this worker has."""

    row: Claimed
    done: Callable[[], None]
    looks: int = 0  # for its photo, in vain


@dataclass(frozen=True)
class Job:
    """A photo for the engine. Jobs that differ in nothing but photo and what was said run together."""

    work: Work
    photo: np.ndarray
    model: LoadedModel
    beams: int
    length: Length
    said: frozenset[tuple[str, ...]]  # words of the sentences that "another one" must not repeat

    @property
    def kind(self) -> tuple[str, int, Length]:
        return self.model.version, self.beams, self.length


def run_engine(jobs: list[Job]) -> list[Result]:
    """One batch, whose jobs are of one kind."""
    first = jobs[0]
    nbest = min(first.beams, 1 + ALTERNATIVES)
    start = time.perf_counter()
    found = first.model.captioner.caption(
        [job.photo for job in jobs],
        beams=first.beams,
        nbest=nbest,
        length=first.length,
        said=[job.said for job in jobs],
    )
    milliseconds = 1000 * (time.perf_counter() - start)
    return [_result(said, first.model.version, milliseconds, len(jobs)) for said in found]


def _result(said: Said, version: str, milliseconds: float, batch_size: int) -> Result:
    return Result(
        text=said.text,
        confidence=said.confidence,
        hedged=said.hedged,
        is_photo=said.photo,
        words=list(said.words),
        alternatives=list(said.alternatives),
        attention=None if said.attention is None else attention_maps(said.attention),
        model_version=version,
        milliseconds=milliseconds,
        encode_milliseconds=1000 * said.encode_seconds,
        batch_size=batch_size,
    )


def attention_maps(attention: np.ndarray) -> dict[str, Any]:
    """(words, rows, columns) as the database keeps it: whole numbers, 255 where the network looked most for a word."""
    words, rows, columns = attention.shape
    most = np.maximum(attention.max(axis=(1, 2), keepdims=True, initial=0), 1e-9)
    maps = np.rint(attention / most * 255).astype(int).reshape(words, rows * columns)
    return {"rows": rows, "columns": columns, "maps": maps.tolist()}
