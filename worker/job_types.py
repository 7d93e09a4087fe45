"""What the stages of a worker's pipeline give each other: a message from the queue becomes a job."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from db.captions import Claimed
from model.caption_text import Length
from worker.model_loader import LoadedModel

Value = TypeVar("Value")


@dataclass(frozen=True)
class Message:
    """A message from the queue: a caption is to be made, that of this row or of another whose turn it is."""

    caption_id: int | None  # None: the worker looks by itself whether any waits
    acknowledge: Callable[[], None]  # called once, on one of the pipeline's threads


@dataclass(frozen=True)
class Job(Generic[Value]):
    """A caption that this worker has claimed, on its way through the pipeline."""

    caption: Claimed
    acknowledge: Callable[[], None]  # as Message has it
    value: Value  # what the stage before made: None, then EngineInput, then the result or why there is none
    retries: int = 0  # of the current stage

    @property
    def caption_id(self) -> int:
        return self.caption.id

    @property
    def person(self) -> str:
        return self.caption.person

    def with_value(self, value: Any) -> "Job[Any]":
        """The same job for the next stage."""
        return replace(self, value=value, retries=0)

    def retried(self) -> "Job[Value]":
        return replace(self, retries=self.retries + 1)


@dataclass(frozen=True)
class EngineInput:
    """A decoded photo and how it is to be captioned. Inputs of one kind run in one batch."""

    photo: np.ndarray  # uint8 (size, size, 3)
    model: LoadedModel
    beams: int
    length: Length
    exclude: frozenset[tuple[str, ...]]  # words of the captions that "another one" must not repeat

    @property
    def kind(self) -> tuple[str, int, Length]:
        return self.model.version, self.beams, self.length
