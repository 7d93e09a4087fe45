"""Tells the database that a worker is alive: its own row, and the leases of the rows that it holds."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from db import captions, workers

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=24)  # after a SIGKILL its rows are free when this has passed
BEATS = 3  # a lease: two may fail
LONGEST = 300.0  # seconds that a row may be held: what takes longer hangs


class Heartbeat:
    """Between start() and stop() a thread of its own renews. Rows are held from `hold` until `drop`."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        name: str,
        engine: str,
        versions: Callable[[], list[str]],
        lease: timedelta = LEASE,
        longest: float = LONGEST,
    ):
        """name: of this worker in the database. versions: the models that it holds now.

        longest: seconds after which a row is renewed no more, so that another worker gets it.
        """
        self.name, self.lease, self.longest = name, lease, longest
        self._sessions, self._engine, self._versions = sessions, engine, versions
        self._held: dict[int, float] = {}  # row -> since when, as time.monotonic()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """The first beat is before this returns, and raises what the database raises."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye, and give back the rows that are still held."""
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
        except Exception as error:  # their leases expire
            log.warning("the database does not hear that this worker stops: %s", error)

    def hold(self, rows: Iterable[int]) -> None:
        since = time.monotonic()
        with self._changed:
            self._held |= dict.fromkeys(rows, since)

    def drop(self, rows: Iterable[int]) -> None:
        with self._changed:
            for row in rows:
                self._held.pop(row, None)
            self._changed.notify_all()

    def held(self) -> list[int]:
        """Without those that have been held for too long."""
        with self._changed:
            return sorted(row for row, since in self._held.items() if time.monotonic() - since < self.longest)

    def wait_for_room(self, most: int) -> None:
        """Until no more than so many rows are held, or the worker stops."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._held) <= most or self._stop.is_set())

    def _run(self) -> None:
        while not self._stop.wait(self.lease.total_seconds() / BEATS):
            try:
                self._beat()
            except Exception as error:  # the next beat may succeed; if none does, others take the rows over
                log.warning("the heartbeat did not reach the database: %s", error)

    def _beat(self) -> None:
        with self._sessions.begin() as session:
            workers.beat(session, self.name, self._engine, self._versions())
            if held := self.held():
                captions.renew(session, held, self.name, self.lease)
