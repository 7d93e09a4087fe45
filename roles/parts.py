"""The parts that processes are made of: the web page, the chat bots, the worker, the upkeep."""

import logging
import threading
from datetime import timedelta
from functools import partial

from bots.service_setup import create_service
from db import captions
from db.engine import create_engine, sessions
from db.photo_store import PhotoStore
from db.tables import now
from roles.start import in_sentences, with_database
from roles.supervisor import Part, Unfinished, in_thread, supervise
from settings import Settings
from worker.app import create_app, create_wakes, send, send_many

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at whether the worker still works


class Parts:
    """What the parts of one process share: a service, a queue, wakes.

    Raises CaptionbotError when the database does not answer or must be migrated first.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.queue = create_app(settings.broker_url, settings.key_prefix)
        self.wakes = create_wakes(settings.redis_url, settings.key_prefix)
        with with_database():
            self.service = create_service(settings, enqueue=partial(send, self.queue), wakes=self.wakes)

    def run(self, *parts: Part) -> None:
        """Until a signal, these and the upkeep, which every process offers to do. Raises as `supervise` does."""
        try:
            supervise([*parts, Part("The upkeep", self._upkeep)])
        finally:  # what cannot be sent now is sent by the upkeep of others, or of the next start
            self.queue.outbox.close()
            self.wakes.close()

    def web(self) -> Part:
        return Part("The web page", self._web, needed=True)

    def telegram(self, *, needed: bool) -> Part:
        return Part("Telegram", self._telegram, needed)

    def discord(self, *, needed: bool) -> Part:
        return Part("Discord", self._discord, needed)

    def worker(self) -> Part:
        return Part("The worker", self._worker, needed=True)

    async def _web(self) -> None:
        from bots.web_page import create_site
        from roles.page import listen, serve

        with in_sentences():
            site = create_site(self.service, self.settings)
        await serve(site, listen(self.settings.web_host, self.settings.web_port))

    async def _telegram(self) -> None:
        from bots.telegram_bot import create_application
        from bots.telegram_run import serve

        with in_sentences():
            await serve(create_application(self.service, self.settings), self.settings)

    async def _discord(self) -> None:
        from bots.discord_bot import create_bot
        from bots.discord_run import run

        with in_sentences():
            await run(lambda: create_bot(self.service, self.settings), self.settings)

    async def _worker(self) -> None:
        await in_thread(self._work)

    async def _upkeep(self) -> None:
        await in_thread(self._keep_up)

    def _work(self, stop: threading.Event) -> None:
        from worker.run import Worker

        settings = self.settings
        worker = Worker(
            create_app(settings.broker_url, settings.key_prefix),
            sessions(create_engine(settings.database_url)),
            PhotoStore(settings.photo_store),
            self.wakes,
            model_dir=settings.model_dir,
            engine=settings.engine,
            max_batch=settings.max_batch,
            beams=settings.beams,
            neutral_wording=settings.neutral_wording,
        )
        with with_database():
            worker.start()
        log.info("the worker is ready")
        while worker.is_alive() and not stop.wait(LOOK):
            pass
        if not worker.stop():
            raise Unfinished("the worker did not finish all it held; that is captioned later")
        if not stop.is_set():
            raise RuntimeError("the worker no longer took photos")

    def _keep_up(self, stop: threading.Event) -> None:
        upkeep = self.service.upkeep()
        if self.settings.embedded:
            self._send_waiting()
        upkeep.start()
        stop.wait()
        upkeep.stop()

    def _send_waiting(self) -> None:
        """A queue in memory is empty when its process begins."""
        engine = create_engine(self.settings.database_url)
        with sessions(engine).begin() as session:
            ids = captions.stale(session, now(), waited=timedelta())
        engine.dispose()
        send_many(self.queue, ids)
