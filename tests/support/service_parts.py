"""A service for tests: a real database and photo store, a list for a queue, and a worker without a model."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from bots.service.base import Backend
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from bots.service.submit import Submissions
from bots.service.views import Policy
from db import captions
from db.caption_requests import CaptionRequest
from db.photo_store import PhotoStore
from db.tables import Caption
from tests.support.factories import make_result
from worker.job_queue import Notifier, create_notifier

LEASE = timedelta(minutes=1)
ANN, BEN = "web:ann", "web:ben"
CHAT = "telegram:-1"


def picture(number: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    """A PNG of soft blots; no two numbers give pictures that look the same."""
    blots = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blots).resize(size, Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


class HandWorker:
    """Does what is queued when it is told to."""

    def __init__(self, sessions: sessionmaker[Session]):
        self._sessions = sessions

    def caption(self, row: int, **fields: Any) -> None:
        with self._sessions.begin() as session:
            assert captions.claim(session, row, "hand", LEASE)
            assert captions.finish(session, row, "hand", make_result(**fields))

    def fail(self, row: int, sentence: str = "It did not work.") -> None:
        with self._sessions.begin() as session:
            assert captions.claim(session, row, "hand", LEASE)
            assert captions.fail(session, row, "hand", sentence)


def limit_submissions(service: CaptionService, limits: Any) -> None:
    """Let other limits hold for what is submitted from now on."""
    service.submissions = Submissions(replace(service.backend, limits=limits))


def submit(
    service: CaptionService,
    number: int = 0,
    *,
    sender: str = ANN,
    source: str | None = None,
    front_end: str = "web",
    **more: Any,
) -> Any:
    return service.submissions.submit(
        picture(number), CaptionRequest(sender=sender, front_end=front_end, source=source, **more)
    )


def row_of(sessions: sessionmaker[Session], submitted: Any) -> Any:
    with sessions() as session:
        return session.get(Caption, submitted.row)


def count(sessions: sessionmaker[Session], table: Any) -> int:
    """How many rows a table has."""
    with sessions() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


@pytest.fixture
def queued() -> list[int]:
    return []


@pytest.fixture
def notifier() -> Notifier:
    return create_notifier(None)


@pytest.fixture
def new_service(
    engine: Engine, store: PhotoStore, queued: list[int], notifier: Notifier
) -> Callable[..., CaptionService]:
    """new_service(rates="1/hour", queue_limit=5): with other limits than the plain one."""

    def make(rates: str = "1000/minute", **policy: Any) -> CaptionService:
        return CaptionService(Backend(engine, store, queued.append, RateLimits(rates), Policy(**policy), notifier))

    return make


@pytest.fixture
def service(new_service: Callable[..., CaptionService]) -> CaptionService:
    return new_service()


@pytest.fixture
def worker(sessions: sessionmaker[Session]) -> HandWorker:
    return HandWorker(sessions)


@pytest.fixture
def anns(service: CaptionService, worker: HandWorker) -> str:
    """The id of a caption that Ann asked for on the web and that is done."""
    submitted = submit(service)
    worker.caption(submitted.row, text="Could be: a dog runs.", hedged=True, words=["a", "dog", "runs"])
    return submitted.id


@pytest.fixture
def in_chat(service: CaptionService, worker: HandWorker) -> str:
    """The id of a caption that Ann asked for in a chat and that is done."""
    submitted = submit(service, 9, sender="telegram:7", front_end="telegram", chat=CHAT)
    worker.caption(submitted.row)
    return submitted.id
