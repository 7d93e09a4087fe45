"""A process of captionbot, built from components: the web page, the chat bots, the worker, and maintenance."""

import logging
import resource
import threading
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from bots.service.setup import create_service
from db import captions
from db.engine import close, create_engine, sessions
from db.photos import open_store
from db.tables import now
from roles.startup import database_errors, startup_errors
from roles.supervisor import Component, Stopped, Unfinished, in_thread, supervise
from settings import Settings
from settings.environment import check_environment
from worker.job_queue import create_app, create_notifier, send, send_many

log = logging.getLogger(__name__)

WORKER_CHECK_INTERVAL = 1.0  # seconds between two checks whether the worker is still alive
MOST_FILES = 65_536  # open files; some systems allow a thousand times more, and programs that go through all of them


class Process:
    """Makes the components of one process, which share a service, a queue and notifications.

    Raises:
        CaptionbotError: the database does not answer or must be migrated first, or a library would fail on a
            variable of the environment.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        with startup_errors():
            check_environment(settings)
        raise_file_limit()
        self.queue = create_app(settings.broker_url, settings.key_prefix, settings.broker_transport)
        self.notifier = create_notifier(settings.redis_url, settings.key_prefix)
        with database_errors():
            self.service = create_service(settings, enqueue=partial(send, self.queue), notifier=self.notifier)

    def run(self, *components: Component) -> None:
        """Run these components, and maintenance, until a signal arrives. Raises the same errors as `supervise`."""
        try:
            supervise([*components, Component("Maintenance", self._maintenance)])
        finally:  # messages that cannot be sent now are sent by the maintenance of another process, or after a restart
            self.queue.outbox.close()
            self.notifier.close()
            self.service.close()

    def web(self) -> Component:
        return Component("The web page", self._web, required=True)

    def telegram(self, *, required: bool) -> Component:
        return Component("Telegram", self._telegram, required)

    def discord(self, *, required: bool) -> Component:
        return Component("Discord", self._discord, required)

    def worker(self) -> Component:
        return Component("The worker", self._worker, required=True)

    async def _web(self) -> None:
        from bots.web.app import create_site
        from roles.web_server import listen, serve

        with startup_errors():
            site = create_site(self.service, self.settings)
        await serve(site, listen(self.settings.web_host, self.settings.web_port))

    async def _telegram(self) -> None:
        from bots.telegram.app import create_application
        from bots.telegram.run import serve

        with startup_errors():
            await serve(create_application(self.service, self.settings), self.settings)

    async def _discord(self) -> None:
        from bots.discord.client import create_bot
        from bots.discord.run import run

        with startup_errors():
            await run(lambda: create_bot(self.service, self.settings), self.settings)

    async def _worker(self) -> None:
        await in_thread(self._run_worker)

    async def _maintenance(self) -> None:
        await in_thread(self._run_maintenance)

    def _run_worker(self, stop: threading.Event) -> None:
        engine = create_engine(self.settings.database_url)
        try:
            self._work(engine, stop)
        finally:
            close(engine)

    def _work(self, engine: Engine, stop: threading.Event) -> None:
        from worker.worker import Worker

        settings = self.settings
        with database_errors():
            store = open_store(settings.photo_store, engine)
        worker = Worker(
            create_app(settings.broker_url, settings.key_prefix, settings.broker_transport),
            sessions(engine),
            store,
            self.notifier,
            model_dir=settings.model_dir,
            engine=settings.engine,
            max_batch=settings.max_batch,
            beams=settings.beams,
            neutral_wording=settings.neutral_wording,
        )
        with database_errors():
            worker.start()
        log.info("the worker is ready")
        while worker.is_alive() and not stop.wait(WORKER_CHECK_INTERVAL):
            pass
        if not worker.stop():
            raise Unfinished("the worker could not finish all photos it held; they are captioned later")
        if not stop.is_set():
            raise Stopped("it stopped taking photos")

    def _run_maintenance(self, stop: threading.Event) -> None:
        maintenance = self.service.maintenance()
        if self.settings.embedded:
            with database_errors():
                self._enqueue_waiting()
        maintenance.start()
        stop.wait()
        maintenance.stop()

    def _enqueue_waiting(self) -> None:
        """Enqueue the captions that an earlier process left: a queue in memory starts empty."""
        engine = create_engine(self.settings.database_url)
        with sessions(engine).begin() as session:
            ids = captions.requeue_stale(session, now(), lost_after=timedelta())
        engine.dispose()
        send_many(self.queue, ids)


def raise_file_limit() -> None:
    """Allow this process as many open files as it may have: a connection of a visitor is one, and 1,024 are usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
