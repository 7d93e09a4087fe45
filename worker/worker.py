"""A whole worker: the model loader, the heartbeat, the pipeline and the Celery consumer, each with threads of its own.

`captionbot worker` runs it as a process, `captionbot up` in one process with the front-ends.
"""

import logging
import os
import secrets
import socket
import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from celery.worker import WorkController  # type: ignore[import-untyped]
from celery.worker import state as celery_state
from sqlalchemy.orm import Session, sessionmaker

from db.model_registry import Serving, serving
from db.photo_store import PhotoStore
from model.captioner import choose_engine, lanes_of
from worker.celery_consumer import PatientConsumer
from worker.celery_strategy import PipelineStrategy
from worker.heartbeat import LEASE, Heartbeat
from worker.job_queue import TASK, JobQueue
from worker.model_loader import CurrentModel, load_warm
from worker.notifications import Notifier
from worker.pipeline import CaptionPipeline

log = logging.getLogger(__name__)

BATCHES_AHEAD = 2  # beside those in the engine: the photos of one are read while another gathers
STOP_TIMEOUT = 30.0  # seconds


class Worker:
    """A process may run one at a time, each with an app of its own."""

    def __init__(
        self,
        app: JobQueue,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        notifier: Notifier,
        *,
        model_dir: Path,
        engine: str = "auto",
        device: str = "auto",
        max_batch: int = 32,
        beams: int = 3,
        neutral_wording: bool = False,
        lease: timedelta = LEASE,
    ):
        """
        Args:
            model_dir: the model folder to use while the registry names none.
            lease: of claimed captions, renewed while they are held.
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._sessions = sessions
        load = partial(
            load_warm, engine=engine, device=device, max_batch=max_batch, beams=beams, neutral_wording=neutral_wording
        )
        self._models = CurrentModel(load, self._serving, model_dir)
        self._heartbeat = Heartbeat(sessions, self.name, choose_engine(engine), lambda: self._models.versions, lease)
        lanes = lanes_of(engine)
        self._pipeline = CaptionPipeline(
            sessions, store, self._models, self._heartbeat, notifier, max_batch=max_batch, beams=beams, lanes=lanes
        )
        # The task never runs in a pool: the strategy hands its messages to the pipeline.
        app.task(name=TASK, shared=False, Strategy=PipelineStrategy(self._pipeline.handle))(self._pipeline.handle)
        app.set_default()  # Celery's threads look the task up there
        self._celery: Any = WorkController(
            app=app,
            hostname=self.name,
            pool_cls="solo",
            consumer_cls=PatientConsumer,
            prefetch_multiplier=(lanes + BATCHES_AHEAD)
            * max_batch,  # messages held; the rest is left for other workers
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._consume, name="celery", daemon=True)

    def start(self) -> None:
        """Load the model, warm it up and take messages. Raises DamagedModel, UnavailableEngine."""
        log.info("messages come over %s", self._celery.app.transport)
        self._models.start()
        self._heartbeat.start()
        self._thread.start()

    def is_alive(self) -> bool:
        """False when it takes no more messages, or its engine or photo store hangs."""
        return self._thread.is_alive() and not self._pipeline.is_stuck()

    def stop(self, timeout: float = STOP_TIMEOUT) -> bool:
        """Take no more messages, finish the captions that are held, give back those that are not finished in time.

        Returns False if threads still run after `timeout` seconds; the process should then end without waiting.
        """
        end = time.monotonic() + timeout
        celery_state.should_stop = os.EX_OK  # Celery's loop can be stopped from another thread only so
        self._thread.join(timeout)
        finished = not self._thread.is_alive()
        finished &= self._pipeline.close(max(1.0, end - time.monotonic()))
        self._models.stop()
        self._heartbeat.stop()
        if finished:
            celery_state.should_stop = None
        return finished

    def _consume(self) -> None:
        try:
            self._celery.start()
        except BaseException:
            log.exception("the worker takes no more captions")

    def _serving(self) -> Serving:
        with self._sessions() as session:
            return serving(session)
