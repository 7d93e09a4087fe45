"""A whole worker: the model, the heartbeat and the Celery consumer, each in threads. Others start and stop it.

`captionbot worker` runs it as a process, `captionbot up` beside its front-ends.
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
from worker.app import TASK, JobQueue
from worker.current_model import CurrentModel, load_warm
from worker.hand_over import HandOver
from worker.heartbeat import LEASE, Heartbeat
from worker.tasks import Captioning
from worker.wake import Wakes

log = logging.getLogger(__name__)

AHEAD = 2  # batches beside those in the engine: the photos of one are read, another gathers
STOP = 30.0  # seconds


class Worker:
    """One at a time in a process, and each with an app of its own."""

    def __init__(
        self,
        app: JobQueue,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        wakes: Wakes,
        *,
        model_dir: Path,
        engine: str = "auto",
        device: str = "auto",
        max_batch: int = 32,
        beams: int = 3,
        neutral_wording: bool = False,
        lease: timedelta = LEASE,
    ):
        """model_dir: the model folder that serves while the registry names none. lease: of rows, renewed while held."""
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._sessions = sessions
        load = partial(
            load_warm, engine=engine, device=device, max_batch=max_batch, beams=beams, neutral_wording=neutral_wording
        )
        self._models = CurrentModel(load, self._serving, model_dir)
        self._heartbeat = Heartbeat(sessions, self.name, choose_engine(engine), lambda: self._models.versions, lease)
        lanes = lanes_of(engine)
        self._captioning = Captioning(
            sessions, store, self._models, self._heartbeat, wakes, max_batch=max_batch, beams=beams, lanes=lanes
        )
        # The task is never run in a pool: Celery's loop hands its messages on.
        app.task(name=TASK, shared=False, Strategy=HandOver(self._captioning.handle))(self._captioning.handle)
        app.set_default()  # Celery's threads look their task up there
        self._celery: Any = WorkController(
            app=app,
            hostname=self.name,
            pool_cls="solo",
            prefetch_multiplier=(lanes + AHEAD) * max_batch,  # messages held; what else waits is for other workers
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._consume, name="celery", daemon=True)

    def start(self) -> None:
        """Returns when the model is warm and messages are taken. Raises what loading the model raises."""
        self._models.start()
        self._heartbeat.start()
        self._thread.start()

    def is_alive(self) -> bool:
        """False when it takes no more messages, or its engine hangs."""
        return self._thread.is_alive() and not self._captioning.is_stuck()

    def stop(self, timeout: float = STOP) -> bool:
        """Take no more messages, finish what is held, give back what cannot be finished within so many seconds.

        False if something still runs then: a process had better end without waiting for its threads.
        """
        end = time.monotonic() + timeout
        celery_state.should_stop = os.EX_OK  # the one way to tell Celery's loop from another thread
        self._thread.join(timeout)
        finished = not self._thread.is_alive()
        finished &= self._captioning.close(max(1.0, end - time.monotonic()))
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
