"""What has to be done from time to time, by any process: lost messages sent again, and retention times kept to.

Of all processes one does it at a time, by a lease in the database. Doing it twice would be harmless.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from bots.views import Policy
from db import backlog, captions, leases, retention, workers
from db.photo_store import PhotoStore
from db.tables import now

log = logging.getLogger(__name__)

LOOK = 5.0  # seconds between two looks at waiting captions
LEASE = timedelta(seconds=20)  # after which another process takes over from one that died
CLEAR = 600.0  # seconds between two clearings of old photos
SWEEP = 86400.0  # seconds between two searches of the store for files that nobody knows
WAITED = timedelta(seconds=30)  # after which a queued caption's message may be lost
OVERTAKEN = timedelta(seconds=10)  # queues are in order but for so much
NEVER = timedelta(days=36_500)
ALIVE = timedelta(minutes=1)  # for which a worker that was seen is taken to be alive
DEAD = timedelta(days=1)  # after which a worker that is no longer seen is forgotten


class Upkeep:
    """Between start() and stop() a thread of its own does it all."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        store: PhotoStore,
        enqueue: Callable[[int], None],
        policy: Policy,
        *,
        waited: timedelta = WAITED,
        look: float = LOOK,
    ):
        self._sessions, self._store, self._enqueue, self._policy = sessions, store, enqueue, policy
        self._waited, self._look = waited, look
        self._holder = f"upkeep:{secrets.token_hex(8)}"
        self._due = {self.clear: 0.0, self.sweep: time.monotonic() + secrets.randbelow(3600)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        self._stop.set()
        self._thread.join(timeout)

    def requeue(self) -> int:
        """Send waiting captions whose message may be lost, and take back those of dead workers. Returns how many."""
        with self._sessions.begin() as session:
            at = now()
            ids = captions.stale(session, at, self._lost_after(session, at))
        for id in ids:
            self._enqueue(id)
        return len(ids)

    def _lost_after(self, session: Session, at: datetime) -> timedelta:
        """How long ago a message must have been sent to be thought lost.

        In a long queue all wait for long. Lost is what was overtaken, or what waits while workers do nothing. Without
        workers nothing is sent again: it would only fill the queue.
        """
        if not workers.alive(session, ALIVE):
            return NEVER
        got_to = backlog.newest_started(session, at - self._waited)
        return self._waited if got_to is None else max(self._waited, at - got_to + OVERTAKEN)

    def clear(self) -> int:
        """Drop what is older than the retention times, and the data of chats left. Returns how many photos went."""
        policy = self._policy
        dropped = retention.drop_old_photos(
            self._sessions,
            self._store,
            timedelta(seconds=policy.retention),
            timedelta(seconds=policy.feedback_retention),
        )
        retention.purge_left_chats(self._sessions, self._store, timedelta(seconds=policy.left_chat_grace))
        with self._sessions.begin() as session:
            workers.clear_dead(session, DEAD)
        return dropped

    def sweep(self) -> int:
        """Remove files that no row knows, which crashes leave behind. Returns how many."""
        return retention.drop_orphans(self._sessions, self._store)

    def _run(self) -> None:
        while not self._stop.wait(self._look):
            try:
                self._once()
            except Exception as error:  # a database that is away comes back
                log.warning("upkeep did not work, it is tried again: %s", " ".join(str(error).split())[:200])

    def _once(self) -> None:
        with self._sessions.begin() as session:
            mine = leases.take(session, "upkeep", self._holder, LEASE)
        if not mine:
            return
        if sent := self.requeue():
            log.info("%d captions sent to the workers again", sent)
        for task, pause in ((self.clear, CLEAR), (self.sweep, SWEEP)):
            if time.monotonic() >= self._due[task]:
                self._due[task] = time.monotonic() + pause
                if removed := task():
                    log.info("%s: %d photos removed", task.__name__, removed)
