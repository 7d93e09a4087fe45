"""A service for tests: a real database and photo store, a list for a queue, and a hand that plays the worker.

from service_parts import queued, service, woken, worker  # noqa: F401   with the fixtures of database.py
"""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from factories import make_result
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from bots.limits import Limits
from bots.service import CaptionService
from bots.views import Policy
from db import captions
from db.photo_store import PhotoStore
from worker.app import Wakes, create_wakes

LEASE = timedelta(minutes=1)


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


@pytest.fixture
def queued() -> list[int]:
    return []


@pytest.fixture
def wakes() -> Wakes:
    return create_wakes(None)


@pytest.fixture
def new_service(
    sessions: sessionmaker[Session], store: PhotoStore, queued: list[int], wakes: Wakes
) -> Callable[..., CaptionService]:
    """new_service(rates="1/hour", queue_limit=5): with other limits than the plain one."""

    def make(rates: str = "1000/minute", **policy: Any) -> CaptionService:
        return CaptionService(
            sessions, store, queued.append, limits=Limits(rates), policy=Policy(**policy), wakes=wakes
        )

    return make


@pytest.fixture
def service(new_service: Callable[..., CaptionService]) -> CaptionService:
    return new_service()


@pytest.fixture
def worker(sessions: sessionmaker[Session]) -> HandWorker:
    return HandWorker(sessions)
