"""Prometheus metrics. Whatever several processes contribute to is read from the database at each scrape.

Counters start at zero with the process, and each scrape adds what was finished since the one before. So no counter goes
down when rows are deleted later.
"""

import logging
import threading
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bots.errors import one_line
from db.metrics import finished_captions, votes_given
from db.outages import noted
from db.queue_depth import backlog
from db.tables import now
from db.workers import alive

log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=5)  # a row gets its time stamp shortly before its transaction is committed
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All metrics of the site. settle: rows younger than this are counted by the next scrape."""

    def __init__(self, reading: sessionmaker[Session], settle: timedelta = SETTLE):
        self._reading, self._settle = reading, settle
        self._counted_until = now() - settle
        self._lock = threading.Lock()
        self._registry = registry = CollectorRegistry()
        self.faults = Counter("captionbot_web_faults", "Requests that failed by an internal error", registry=registry)
        self._database = Gauge("captionbot_database_up", "Whether the database answers", registry=registry)
        self._queue = Gauge("captionbot_queue_depth", "Captions that wait for a worker", registry=registry)
        self._oldest = Gauge("captionbot_queue_oldest_seconds", "Age of the oldest waiting caption", registry=registry)
        self._workers = Gauge(
            "captionbot_workers",
            "Live workers, by loaded model version",
            ["model", "engine"],
            registry=registry,
        )
        self._captions = Counter(
            "captionbot_captions", "Captions finished", ["model", "front_end", "state"], registry=registry
        )
        self._known = Counter(
            "captionbot_cache_hits",
            "Captions answered from earlier results",
            ["model"],
            registry=registry,
        )
        self._votes = Counter("captionbot_votes", "Votes", ["model", "thumb"], registry=registry)
        self._batches = Histogram(
            "captionbot_batch_size",
            "Photos in the batch of each caption",
            ["model"],
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        # The time of the whole batch is observed for each caption in it.
        self._encode, self._decode = (
            Histogram(f"captionbot_{name}_seconds", help_text, ["model"], buckets=SECONDS_BUCKETS, registry=registry)
            for name, help_text in (("encode", "Time in the encoder"), ("decode", "Time in the beam search"))
        )

    def text(self) -> bytes:
        """The metrics in Prometheus' text format. If the database does not answer, those of the last scrape."""
        with self._lock:
            try:
                self._update()
            except SQLAlchemyError as error:
                if not noted(error):
                    log.warning("metrics cannot be read now: %s", one_line(error))
                self._database.set(0)
            return generate_latest(self._registry)

    def _update(self) -> None:
        current = now()
        until = current - self._settle
        with self._reading() as session:
            waiting, workers = backlog(session), alive(session)
            rows, votes = (
                finished_captions(session, self._counted_until, until),
                votes_given(session, self._counted_until, until),
            )
        self._counted_until = until
        self._database.set(1)
        self._queue.set(waiting.photos)
        self._oldest.set((current - waiting.oldest).total_seconds() if waiting.oldest else 0)
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
        for (model_version, value), count in votes.items():
            self._votes.labels(model_version or "none", "up" if value > 0 else "down").inc(count)
