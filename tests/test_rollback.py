"""A promotion and the way back, in a worker that is at work: soon, and at the cost of no job.

CAPTIONBOT_TEST_MODEL=models/bundled pytest -s tests/test_rollback.py    says how long it takes with that model
"""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from db import model_registry
from db.tables import Caption, State
from model.model_folder import load_model, save_model
from tests.support.factories import make_model
from tests.support.processes import until
from tests.support.worker_parts import all_done, queue_photos, rows_of
from worker.job_queue import create_app, create_notifier, send_many
from worker.worker import Worker

PAUSE = 0.1  # seconds between two photos
SOON = 5.0  # seconds
TURNS = 3  # at most: a machine with other work may not have had time for ours


@pytest.fixture(scope="module")
def models(tiny_model, tmp_path_factory) -> tuple[Path, Path]:
    """The model that serves at first, and one that takes over. They differ in their cards alone."""
    first = Path(os.environ.get("CAPTIONBOT_TEST_MODEL") or tiny_model)
    stored, second = load_model(first), tmp_path_factory.mktemp("models") / "second"
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, {}, "the second")
    save_model(second, *parts, confidence=stored.confidence, quantization=stored.quantization)
    return first, second


class Stream:
    """A worker that gets one photo after another."""

    def __init__(self, sessions, store, model: Path):
        self._sessions, self._store = sessions, store
        self._app = create_app(None, "rollback")
        self.worker = Worker(self._app, sessions, store, create_notifier(None), model_dir=model, max_batch=4)

    def send(self) -> int:
        (row,) = queue_photos(self._sessions, self._store, 1)
        send_many(self._app, [row])
        return row

    def seconds_until(self, version: str) -> float:
        """How long it takes until captions are of this model, photos being sent all the while."""
        began, rows = time.monotonic(), []

        def look() -> bool:
            rows.append(self.send())
            time.sleep(PAUSE)
            said = select(Caption.id).where(
                Caption.id.in_(rows), Caption.state == State.DONE, Caption.model_version == version
            )
            with self._sessions() as session:
                return session.scalar(said.limit(1)) is not None

        until(look)
        return time.monotonic() - began


@pytest.mark.database("sqlite")
def test_a_rollback_takes_effect_within_seconds_and_no_job_is_lost(sessions, store, models):
    before, (first, second) = load_model(models[0]).version, models
    with sessions.begin() as session:
        make_model(session, "second", folder=str(second))
    stream, took = Stream(sessions, store, first), SOON
    stream.worker.start()
    try:
        stream.seconds_until(before)
        for _ in range(TURNS):
            with sessions.begin() as session:
                model_registry.promote(session, "second", "a test")
            stream.seconds_until("second")
            with sessions.begin() as session:
                assert model_registry.rollback(session, "a test") is None
            took = stream.seconds_until(before)
            if took < SOON:
                break
        until(lambda: all_done(sessions))
    finally:
        assert stream.worker.stop()
    print(f"the rollback took effect after {took:.1f} s")
    assert took < SOON
    assert {row.attempts for row in rows_of(sessions)} == {0}
