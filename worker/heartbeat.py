"""A worker's heartbeat: a thread that renews its own row in the database and the leases of the captions it holds."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from db import captions, workers
from db.outages import noted
from model.errors import one_line

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=24)  # after a SIGKILL its captions are free when this has passed
BEATS = 3  # in a lease, so that two may fail
RETRY = 1.0  # seconds until the next beat after one that failed
MAX_SECONDS_HELD = 300.0  # a worker that holds a caption for longer hangs


class Heartbeat:
    """Renews between start() and stop(). A caption is held from `hold` until `drop`."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        name: str,
        engine: str,
        versions: Callable[[], list[str]],
        lease: timedelta = LEASE,
        longest: float = MAX_SECONDS_HELD,
    ):
        """
        Args:
            name: of this worker in the database.
            engine: that it runs the model with.
            versions: gives the models that it has loaded.
            longest: seconds after which a caption's lease is no longer renewed, so that another worker gets it.
        """
        self.name, self.lease, self.longest = name, lease, longest
        self._sessions, self._engine, self._versions = sessions, engine, versions
        self._held: dict[int, float] = {}  # row -> since when, as time.monotonic()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, then start the thread. Raises SQLAlchemyError when the database does not answer."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """Remove this worker's row, and give back the captions that are still held."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=self.lease.total_seconds())
        try:
            with self._sessions.begin() as session:
                given_back = captions.release(session, self.held(), self.name)
                workers.leave(session, self.name)
            if given_back:
                log.warning("%d captions were not finished and are queued again", len(given_back))
        except Exception as error:  # then the leases expire
            log.warning("the database could not be told that this worker stops: %s", one_line(error))

    def hold(self, rows: Iterable[int], *, limited: bool = True) -> None:
        """Renew the leases of these captions from now on.

        limited: only for so long as a photo may keep a worker busy. Not while they wait for a database or a photo
        store, however long that is away: their photos are not to blame.
        """
        since = time.monotonic() if limited else math.inf
        with self._changed:
            self._held |= dict.fromkeys(rows, since)

    def drop(self, rows: Iterable[int]) -> None:
        """Renew them no longer."""
        with self._changed:
            for row in rows:
                self._held.pop(row, None)
            self._changed.notify_all()

    def held(self) -> list[int]:
        """The ids of the captions that are held, without those that have been held for too long."""
        with self._changed:
            return sorted(row for row, since in self._held.items() if time.monotonic() - since < self.longest)

    def wait_for_room(self, most: int, timeout: float | None = None) -> bool:
        """Block until at most `most` captions are held, or the worker stops. Returns whether it did within seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._held) <= most or self._stop.is_set(), timeout)

    def _run(self) -> None:
        pause = regular = self.lease.total_seconds() / BEATS
        while not self._stop.wait(pause):
            try:
                self._beat()
                pause = regular
            except Exception as error:  # the next beat may succeed; if none does, other workers take the captions over
                if not noted(error) and pause == regular:
                    log.warning("the heartbeat did not reach the database: %s", one_line(error))
                pause = min(regular, RETRY)  # soon after an outage, before the leases are taken for those of the dead

    def _beat(self) -> None:
        with self._sessions.begin() as session:
            workers.beat(session, self.name, self._engine, self._versions())
            if held := self.held():
                captions.renew(session, held, self.name, self.lease)
