"""How fast the whole service is, with PostgreSQL, Redis and one worker process.

Photos are accepted while no worker runs, then one starts and the drain is timed. In the same run: the bare encoder, and
what a lone photo takes beside the engine's own time, over Redis and embedded.
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

from bots.service import CaptionService
from bots.service_setup import create_service
from db.engine import create_engine, reading
from db.engine import sessions as sessions_of
from db.photo_store import PhotoStore
from db.tables import Caption, State
from model.captioner import Captioner
from model.photos import read_photo
from roles.bare_engine import Encoders, Timed
from roles.bench_settings import distributed_settings, embedded_settings, environment
from roles.distinct_photos import distinct_photos
from settings import Settings
from worker.app import create_app, create_wakes, send
from worker.run import Worker

ROOT = Path(__file__).resolve().parent.parent
ENCODED = 320  # photos a round of the bare encoder, at most
LONE = 20  # photos that come one by one, over Redis and again embedded
SENDERS = 4  # threads that hand in photos, as a front-end has them
STUCK = 120.0  # seconds without another caption; what is not done by then is lost
LATE = 2.0  # seconds after the last caption in which a second one of the same photo would show

Line = tuple[str, str]  # what, and how fast


def bench_service(settings: Settings, files: Sequence[Path], photos: int, lone: int = LONE) -> Iterator[Line]:
    """Each line as soon as it is known. Raises CaptionbotError where PostgreSQL or Redis is missing."""
    captioner = Captioner.load(settings.model_dir, settings.engine)
    given = distinct_photos(files, 2 * lone + photos)
    alone = [Timed.by(captioner, photo, settings.beams) for photo in islice(given, 2 * lone)]
    pixels = [read_photo(timed.photo, size=captioner.config.photo_size) for timed in alone]
    encoders = Encoders(settings, captioner, list(islice(cycle(pixels), min(ENCODED, photos))))
    encoders.run()
    with tempfile.TemporaryDirectory(prefix="captionbot-bench-") as folder:
        with distributed_settings(settings, Path(folder)) as own:
            front = Front(create_service(own, wakes=create_wakes(own.redis_url, own.key_prefix)))
            yield from _accept(front, list(given))
            with _worker(own):
                rate = yield from _drain(front, own, photos)
                encoders.run()
                for name, encoder in encoders.rates().items():
                    yield f"encoder {name}", f"{encoder:.1f} photos/s; the drain is {rate / encoder:.2f} times that"
                yield "lone over Redis", front.send_alone(alone[:lone])
        with _embedded(embedded_settings(settings, Path(folder))) as front:
            yield "lone embedded", front.send_alone(alone[lone:])


class Front:
    """Hands in photos as a front-end does, and hears when they are done."""

    def __init__(self, service: CaptionService):
        assert service.wakes is not None
        self._service = service
        self._heard: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        service.wakes.subscribe("web", lambda row: self._heard.put((row, time.perf_counter())))

    def submit(self, photo: bytes) -> int:
        """The row."""
        return self._service.submit(photo, sender="web:bench", front_end="web", source=None, reply_to={}).row

    def hear(self, seconds: float) -> tuple[int, float]:
        """The next caption: its row, and when it was done. Raises queue.Empty."""
        return self._heard.get(timeout=seconds)

    def send_alone(self, photos: Sequence[Timed]) -> str:
        over, taking_in = [], []
        for timed in photos:
            start = time.perf_counter()
            row = self.submit(timed.photo)
            taking_in.append(time.perf_counter() - start)
            while (heard := self.hear(STUCK))[0] != row:
                pass
            over.append(heard[1] - start - timed.seconds)
        return (
            f"{1000 * median(over):.1f} ms over the bare engine, "
            f"of which {1000 * median(taking_in):.1f} ms to take it in; median of {len(photos)}"
        )


def _accept(front: Front, photos: Sequence[bytes]) -> Iterator[Line]:
    start = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        rows = set(senders.map(front.submit, photos))
    yield "accepted", f"{len(rows)} photos, {len(rows) / (time.perf_counter() - start):.1f} a second"


def _drain(front: Front, settings: Settings, photos: int) -> Generator[Line, None, float]:
    """Wait until all is done. Returns captions a second, from the first claim to the last sentence."""
    heard: Counter[int] = Counter()
    try:
        while len(heard) < photos:
            heard[front.hear(STUCK)[0]] += 1
        while True:
            heard[front.hear(LATE)[0]] += 1
    except queue.Empty:
        pass
    engine = create_engine(settings.database_url)
    with reading(engine)() as session:
        columns = select(Caption.started_at, Caption.finished_at, Caption.batch_size)
        done = session.execute(columns.where(Caption.state == State.DONE)).all()
    engine.dispose()
    begun = min(row.started_at for row in done)
    rate = len(done) / (max(row.finished_at for row in done) - begun).total_seconds()
    sizes = Counter(row.batch_size for row in done)
    twice = sum(count - 1 for count in heard.values())
    yield "drained", f"{len(done)} captions, {rate:.1f} a second; {twice} captioned twice, {photos - len(done)} lost"
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
def _embedded(settings: Settings) -> Iterator[Front]:
    """Front-end and worker in this process, as `captionbot up` has them."""
    app, wakes = create_app(None, settings.key_prefix), create_wakes(None)
    worker = Worker(
        app,
        sessions_of(create_engine(settings.database_url)),
        PhotoStore(settings.photo_store),
        wakes,
        model_dir=settings.model_dir,
        engine=settings.engine,
        max_batch=settings.max_batch,
        beams=settings.beams,
    )
    worker.start()
    try:
        yield Front(create_service(settings, enqueue=partial(send, app), wakes=wakes))
    finally:
        worker.stop()
