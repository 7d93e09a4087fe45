"""Figures for Prometheus. What several processes have a share in is read from the database when it is asked for.

Counters begin with the process: each look adds what was finished since the look before. So rows that are removed
later, as when somebody is forgotten, make no counter run backwards.
"""

import logging
import threading
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db.backlog import backlog
from db.figures import finished, voted
from db.tables import now
from db.workers import alive

log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=5)  # a row gets its time a moment before others can see it
ALIVE = timedelta(seconds=30)  # since a worker was last seen
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    def __init__(self, reading: sessionmaker[Session], settle: timedelta = SETTLE):
        self._reading, self._settle = reading, settle
        self._seen = now() - settle
        self._lock = threading.Lock()
        self._registry = registry = CollectorRegistry()
        self.faults = Counter("captionbot_web_faults", "Calls that failed by a fault of ours", registry=registry)
        self._database = Gauge("captionbot_database_up", "Whether the database answers", registry=registry)
        self._queue = Gauge("captionbot_queue_depth", "Captions that wait for a worker", registry=registry)
        self._oldest = Gauge("captionbot_queue_oldest_seconds", "Age of the oldest of them", registry=registry)
        self._workers = Gauge(
            "captionbot_workers", "Workers alive, by model version they hold", ["model", "engine"], registry=registry
        )
        self._captions = Counter(
            "captionbot_captions", "Captions finished", ["model", "front_end", "state"], registry=registry
        )
        self._known = Counter(
            "captionbot_cache_hits", "Captions that were known and needed no engine", ["model"], registry=registry
        )
        self._votes = Counter("captionbot_votes", "Thumbs", ["model", "thumb"], registry=registry)
        self._batches = Histogram(
            "captionbot_batch_size",
            "Photos in the batch of each caption",
            ["model"],
            buckets=BATCHES,
            registry=registry,
        )
        # Of the whole batch, counted for each caption in it.
        self._encode, self._decode = (
            Histogram(f"captionbot_{name}_seconds", what, ["model"], buckets=SECONDS, registry=registry)
            for name, what in (("encode", "Time in the encoder"), ("decode", "Time in the search for words"))
        )

    def text(self) -> bytes:
        """All figures as of now, in Prometheus' text format. While the database is away, those of the last look."""
        with self._lock:
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("figures cannot be read now: %s", " ".join(str(error).split())[:200])
                self._database.set(0)
            return generate_latest(self._registry)

    def _look(self) -> None:
        at = now()
        until = at - self._settle
        with self._reading() as session:
            waiting, workers = backlog(session), alive(session, ALIVE)
            rows, thumbs = finished(session, self._seen, until), voted(session, self._seen, until)
        self._seen = until
        self._database.set(1)
        self._queue.set(waiting.photos)
        self._oldest.set((at - waiting.oldest).total_seconds() if waiting.oldest else 0)
        self._workers.clear()
        for worker in workers:
            for version in worker.versions:
                self._workers.labels(version, worker.engine).inc()
        for row in rows:
            model = row.model or "none"
            self._captions.labels(model, row.front_end, row.state.value).inc()
            if row.known:
                self._known.labels(model).inc()
            if row.batch_size is not None:
                self._batches.labels(model).observe(row.batch_size)
            if row.milliseconds is not None and row.encode_milliseconds is not None:
                self._encode.labels(model).observe(row.encode_milliseconds / 1000)
                self._decode.labels(model).observe((row.milliseconds - row.encode_milliseconds) / 1000)
        for (voted_on, value), count in thumbs.items():
            self._votes.labels(voted_on or "none", "up" if value > 0 else "down").inc(count)
