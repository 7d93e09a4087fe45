"""Benchmark of the whole service, with PostgreSQL, Redis and one worker process.

Photos are submitted while no worker runs; then one starts, and the time until the queue is empty is measured. In the
same run the encoder alone is measured, and the latency that the service adds to a single photo.
"""

import queue
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from sqlalchemy import select

from bots.service.service import CaptionService
from bots.service.setup import create_service
from bots.web.keys import FRONT_END, person_key
from db.caption_requests import CaptionRequest
from db.engine import create_engine, reading
from db.engine import sessions as sessions_of
from db.photo_store import PhotoStore
from db.tables import Caption, State
from model.captioner import Captioner
from model.preprocessing import read_photo
from roles.benchmarks.bare_engine import Encoders, TimedPhoto
from roles.benchmarks.bench_settings import distributed_settings, embedded_settings, environment
from roles.benchmarks.distinct_photos import distinct_photos
from roles.benchmarks.flood import SINGLES, bench_flood
from settings import Settings
from worker.job_queue import create_app, create_notifier, send
from worker.worker import Worker

ROOT = Path(__file__).resolve().parents[2]
MAX_ENCODED = 320  # photos in each round of the encoder alone
SINGLE_PHOTOS = 20  # that are submitted one by one, over Redis and again embedded
SUBMIT_THREADS = 4
STALL_TIMEOUT = 120.0  # seconds without another caption; photos that are not done by then count as lost
DUPLICATE_TIMEOUT = 2.0  # seconds to wait for duplicates after the last caption

Result = tuple[str, str]  # name, and value with its unit


def bench_service(
    settings: Settings, files: Sequence[Path], photos: int, single: int = SINGLE_PHOTOS, flood: int = 0
) -> Iterator[Result]:
    """Yield each result as soon as it is known. Raises CaptionbotError if PostgreSQL or Redis is missing.

    flood: photos of one person beside which single ones of others are timed; 0 leaves that out.
    """
    captioner = Captioner.load(settings.model_dir, settings.engine)
    sources = distinct_photos(files, 2 * single + photos + (flood and flood + SINGLES + 1))
    timed_photos = [TimedPhoto.measure(captioner, photo, settings.beams) for photo in islice(sources, 2 * single)]
    pixels = [read_photo(timed.photo, size=captioner.config.photo_size) for timed in timed_photos]
    encoders = Encoders(settings, captioner, list(islice(cycle(pixels), min(MAX_ENCODED, photos))))
    encoders.run()
    with tempfile.TemporaryDirectory(prefix="captionbot-bench-") as folder:
        with distributed_settings(settings, Path(folder)) as distributed:
            notifier = create_notifier(distributed.redis_url, distributed.key_prefix)
            front_end = FrontEnd(create_service(distributed, notifier=notifier))
            yield from _submit_all(front_end, list(islice(sources, photos)))
            with _worker(distributed):
                rate = yield from _drain(front_end, distributed, photos)
                encoders.run()
                for name, encoder in encoders.rates().items():
                    yield (
                        f"encoder {name}",
                        f"{encoder:.1f} photos/s; the service has {rate / encoder:.2f} of that",
                    )
                yield "single, Redis", front_end.added_latency(timed_photos[:single])
            if flood:
                yield from bench_flood(front_end, partial(_worker, distributed), list(sources))
        with _embedded(embedded_settings(settings, Path(folder))) as front_end:
            yield "single, embedded", front_end.added_latency(timed_photos[single:])


class FrontEnd:
    """Submits photos as a front-end does, and receives the notifications of finished captions."""

    def __init__(self, service: CaptionService):
        assert service.notifier is not None
        self._service = service
        self._finished: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        service.notifier.subscribe(FRONT_END, lambda row: self._finished.put((row, time.perf_counter())))

    def submit(self, photo: bytes, sender: str = "bench") -> int:
        """Submit a photo. Returns the id of the caption's row."""
        request = CaptionRequest(sender=person_key(sender), front_end=FRONT_END)
        return self._service.submissions.submit(photo, request).row

    def wait(self, seconds: float) -> tuple[int, float]:
        """Wait for the next caption: its row, and when it was finished. Raises queue.Empty."""
        return self._finished.get(timeout=seconds)

    def added_latency(self, photos: Sequence[TimedPhoto]) -> str:
        """Submit photos one by one. Returns the median time beyond the engine's own."""
        added, submitting = [], []
        for timed in photos:
            start = time.perf_counter()
            row = self.submit(timed.photo)
            submitting.append(time.perf_counter() - start)
            while (finished := self.wait(STALL_TIMEOUT))[0] != row:
                pass
            added.append(finished[1] - start - timed.seconds)
        return (
            f"{1000 * median(added):.1f} ms more than the engine alone, "
            f"of which {1000 * median(submitting):.1f} ms to submit; median of {len(photos)}"
        )


def _submit_all(front_end: FrontEnd, photos: Sequence[bytes]) -> Iterator[Result]:
    start = time.perf_counter()
    with ThreadPoolExecutor(SUBMIT_THREADS) as threads:
        rows = set(threads.map(front_end.submit, photos))
    yield "submitted", f"{len(rows)} photos, {len(rows) / (time.perf_counter() - start):.1f} a second"


def _drain(front_end: FrontEnd, settings: Settings, photos: int) -> Generator[Result, None, float]:
    """Wait until all captions are finished. Returns captions per second, from the first claim to the last sentence."""
    notified: Counter[int] = Counter()
    try:
        while len(notified) < photos:
            notified[front_end.wait(STALL_TIMEOUT)[0]] += 1
        while True:
            notified[front_end.wait(DUPLICATE_TIMEOUT)[0]] += 1
    except queue.Empty:
        pass
    engine = create_engine(settings.database_url)
    with reading(engine)() as session:
        columns = select(Caption.started_at, Caption.finished_at, Caption.batch_size)
        done = session.execute(columns.where(Caption.state == State.DONE)).all()
    engine.dispose()
    started = min(row.started_at for row in done)
    rate = len(done) / (max(row.finished_at for row in done) - started).total_seconds()
    sizes = Counter(row.batch_size for row in done)
    twice = sum(count - 1 for count in notified.values())
    yield "captioned", f"{len(done)} captions, {rate:.1f} a second; {twice} captioned twice, {photos - len(done)} lost"
    yield "batches", "  ".join(f"{size}: {sizes[size] // size}" for size in sorted(sizes))
    return rate


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "captionbot", "worker"], cwd=ROOT, env=environment(settings))
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _embedded(settings: Settings) -> Iterator[FrontEnd]:
    """A front-end and a worker in this process, as in `captionbot up`."""
    app, notifier = create_app(None, settings.key_prefix), create_notifier(None)
    worker = Worker(
        app,
        sessions_of(create_engine(settings.database_url)),
        PhotoStore(settings.photo_store),
        notifier,
        model_dir=settings.model_dir,
        engine=settings.engine,
        max_batch=settings.max_batch,
        beams=settings.beams,
    )
    worker.start()
    try:
        yield FrontEnd(create_service(settings, enqueue=partial(send, app), notifier=notifier))
    finally:
        worker.stop()
