"""Periodic tasks: send lost messages to the workers again, and delete data after its retention time.

Every process may run them; a lease in the database lets only one at a time. Doing a task twice would be harmless.
"""

import logging
import secrets
import threading
import time
from datetime import timedelta

from sqlalchemy.orm import Session

from bots.errors import one_line
from bots.service.base import Backend
from db import caption_search, captions, erasure, leases, queue_depth, retention, workers
from db.outages import noted
from db.tables import now

log = logging.getLogger(__name__)

INTERVAL = 5.0  # seconds between checks of waiting captions
LEASE = timedelta(seconds=20)  # after which another process takes over from one that died
CLEAR_INTERVAL = 600.0  # seconds between deletions of old photos
FORGET_INTERVAL = 30.0  # seconds between two tries to delete what is left of people who were forgotten
SWEEP_INTERVAL = 86400.0  # seconds between searches of the store for files without a row
LOST_AFTER = timedelta(seconds=30)  # after which the message of a queued caption may be lost
GRACE = 30.0  # seconds after an outage of the database in which workers that live renew their leases
NEVER = timedelta(days=36_500)
DEAD = timedelta(days=1)  # after which a worker without a heartbeat is removed


class Maintenance:
    """Runs all tasks in a thread between `start` and `stop`."""

    def __init__(
        self,
        backend: Backend,
        *,
        lost_after: timedelta = LOST_AFTER,
        interval: float = INTERVAL,
        grace: float = GRACE,
    ):
        self._backend = backend
        self._max_wait, self._interval, self._grace = lost_after, interval, grace
        self._holder = f"maintenance:{secrets.token_hex(8)}"
        self._due = {
            self.clear: 0.0,
            self.finish_forgetting: 0.0,
            self.sweep: time.monotonic() + secrets.randbelow(3600),
        }
        self._requeue_from = 0.0  # as time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop the thread, waiting at most `timeout` seconds for the current task."""
        self._stop.set()
        self._thread.join(timeout)

    def requeue(self) -> int:
        """Send captions again whose message may be lost or whose worker died. Returns how many."""
        with self._backend.sessions.begin() as session:
            ids = captions.requeue_stale(session, now(), self._overdue_after(session))
        for id in ids:
            self._backend.enqueue(id)
        return len(ids)

    def _overdue_after(self, session: Session) -> timedelta:
        """The age from which on the message of a queued caption is presumed lost.

        In a long queue every message is old. One is presumed lost if its caption waits while a worker has nothing to
        do. Without workers nothing is sent again, because that would only fill the queue.
        """
        return self._max_wait if queue_depth.has_idle_worker(session) else NEVER

    def clear(self) -> int:
        """Delete photos and the data of left chats after their retention times. Returns the number of photos."""
        policy = self._backend.policy
        dropped = retention.drop_old_photos(
            self._backend.sessions,
            self._backend.store,
            timedelta(seconds=policy.retention),
            timedelta(seconds=policy.feedback_retention),
        )
        retention.purge_left_chats(
            self._backend.sessions, self._backend.store, timedelta(seconds=policy.left_chat_grace)
        )
        with self._backend.sessions.begin() as session:
            workers.clear_dead(session, DEAD)
            caption_search.clean(session)
        return dropped

    def finish_forgetting(self) -> int:
        """Delete what could not be deleted when somebody was forgotten, or an interruption left. Returns 0."""
        erasure.finish(self._backend.sessions, self._backend.store)
        return 0

    def sweep(self) -> int:
        """Delete files without a row, which crashes leave behind. Returns how many."""
        return retention.sweep_store(self._backend.sessions, self._backend.store)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._once()
            except Exception as error:  # the database may become available again
                if not noted(error):
                    log.warning("maintenance failed and is tried again: %s", one_line(error))
                self._requeue_from = time.monotonic() + self._grace  # leases that expired are no sign of death

    def _once(self) -> None:
        with self._backend.sessions.begin() as session:
            acquired = leases.acquire(session, "upkeep", self._holder, LEASE)
        if not acquired:
            return
        if time.monotonic() >= self._requeue_from and (sent := self.requeue()):
            log.info("captions that waited without a message are sent to the workers again: %d", sent)
        intervals = {self.clear: CLEAR_INTERVAL, self.finish_forgetting: FORGET_INTERVAL, self.sweep: SWEEP_INTERVAL}
        for task, interval in intervals.items():
            if time.monotonic() >= self._due[task]:
                self._due[task] = time.monotonic() + interval
                if deleted := task():
                    log.info("%s: %d photos deleted", task.__name__, deleted)
