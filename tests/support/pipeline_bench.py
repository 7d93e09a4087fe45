"""The worker's pipeline for tests: with a real engine and database, and without a queue."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from db.model_registry import Serving
from db.photo_store import PhotoStore
from db.tables import Caption, State
from model.captioner import Captioner
from tests.support.processes import until
from worker.heartbeat import Heartbeat
from worker.job_queue import create_notifier
from worker.model_loader import CurrentModel, load_warm
from worker.pipeline import CaptionPipeline

LEASE = timedelta(seconds=20)


@pytest.fixture(scope="session")
def captioner(tiny_model: Path) -> Captioner:
    return load_warm(tiny_model, "openvino", device="auto", max_batch=4, beams=3)


class Bench:
    """A worker's insides without a queue: rows are handed to it."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        captioner: Captioner,
        serving: Serving | None = None,
        **limits: Any,
    ):
        self.sessions = sessions
        self.notifier, self.woken = create_notifier(None), []
        self.notifier.subscribe("web", self.woken.append)
        models = CurrentModel(lambda folder: captioner, lambda: serving or Serving(), None)
        models.start()
        models.stop()
        self.models = models
        longest = limits.get("time_limit", 60)
        self.heartbeat = Heartbeat(sessions, "here", "openvino", lambda: models.versions, LEASE, longest)
        limits |= {"max_batch": 4, "beams": 3}
        self.pipeline = CaptionPipeline(sessions, store, models, self.heartbeat, self.notifier, **limits)

    def handle(self, *rows: int) -> None:
        """All at once; returns when each message and each of these rows is done with."""
        done = [threading.Event() for _ in rows]
        for row, event in zip(rows, done, strict=True):
            self.pipeline.handle(row, event.set)
        assert all(event.wait(90) for event in done)
        until(lambda: not self.heartbeat.held() and not any(self.is_queued(row) for row in rows))

    def is_queued(self, row: int) -> bool:
        with self.sessions() as session:
            found = session.get(Caption, row)
            return found is not None and found.state is State.QUEUED

    def row(self, id: int) -> Caption:
        with self.sessions() as session:
            return session.get_one(Caption, id)


@pytest.fixture
def bench(sessions: sessionmaker[Session], store: PhotoStore, captioner: Captioner) -> Iterator[Bench]:
    bench = Bench(sessions, store, captioner)
    yield bench
    bench.pipeline.close(90)
