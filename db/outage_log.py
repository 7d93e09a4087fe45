"""Says once in a process that a server is not available, and once that it is again, whichever part of it notices.

Heartbeat, pipeline, page and maintenance all meet the same outage, each many times.
"""

import logging
import threading
import time

log = logging.getLogger(__name__)

QUIET = 6.0  # seconds without a failure after which an outage is over: more than between two tries of maintenance


class OutageLog:
    """The outages of one server. Its methods may be called from any thread, and as often as one likes."""

    def __init__(self, name: str, meanwhile: str, quiet: float = QUIET):
        """
        Args:
            name: of the server.
            meanwhile: what happens while it is away.
            quiet: seconds.
        """
        self._name, self._meanwhile, self._quiet = name, meanwhile, quiet
        self._began: float | None = None  # the outage, as time.monotonic(); None when there is none
        self._timer: threading.Timer | None = None  # runs since the first answer after the last failure
        self._lock = threading.Lock()

    def failed(self, error: BaseException) -> None:
        """The server was needed and not available."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._began is not None:
                return log.debug("%s is still not available: %s", self._name, _one_line(error))
            self._began = time.monotonic()
            log.warning("%s is not available, %s: %s", self._name, self._meanwhile, _one_line(error))

    def answered(self) -> None:
        """The server did what it was asked for. A standby may do some of it and refuse the rest."""
        if self._began is None:  # without the lock: this is called with every transaction
            return
        with self._lock:
            if self._began is None or self._timer is not None:
                return
            self._timer = threading.Timer(self._quiet, self._end, (time.monotonic(),))
            self._timer.daemon = True
            self._timer.start()

    def _end(self, answered: float) -> None:
        with self._lock:
            if self._timer is not threading.current_thread() or self._began is None:
                return  # a failure came meanwhile
            log.info("%s is available again after %.0f s", self._name, answered - self._began)
            self._began = self._timer = None


def _one_line(error: BaseException) -> str:
    """What the driver says, without the statement: at most 200 characters, without line breaks."""
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split())[:200] or type(original).__name__
