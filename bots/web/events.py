"""Streams finished captions to browsers: on a notification of the worker, and by polling in case it was lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator, Sequence

from bots.errors import NotFound
from bots.service.outages import when_available
from bots.service.service import CaptionService
from bots.service.views import CaptionView
from bots.web.keys import FRONT_END
from db.tables import State
from worker.job_queue import Notifier

POLL_INTERVAL = 2.0  # seconds
MAX_DURATION = 600.0  # seconds of a stream; the browser then opens the next one


class CaptionEvents:
    """Streams of captions as they are finished. All streams share one subscription."""

    def __init__(self, service: CaptionService, notifier: Notifier | None):
        """notifier: None if there are no notifications; then streams only poll."""
        self._service, self._notifier = service, notifier
        self._streams: set[asyncio.Queue[int]] = set()

    @contextlib.contextmanager
    def subscribed(self) -> Iterator[None]:
        """Receive notifications inside this context, which must be entered on the event loop of the site."""
        if self._notifier is None:
            yield
            return
        loop = asyncio.get_running_loop()

        def on_finished(row: int) -> None:  # on a thread of the notifier
            loop.call_soon_threadsafe(self._notify_streams, row)

        unsubscribe = self._notifier.subscribe(FRONT_END, on_finished)
        try:
            yield
        finally:
            unsubscribe()

    def _notify_streams(self, row: int) -> None:
        for stream in self._streams:
            stream.put_nowait(row)

    async def stream(self, ids: Sequence[str], person: str) -> AsyncGenerator[CaptionView]:
        """Yield each of these captions once it is done or has failed. Ids that the person may not see are ignored."""
        notifications: asyncio.Queue[int] = asyncio.Queue()
        self._streams.add(notifications)  # before the first read, so that no notification is missed
        try:
            waiting = await when_available(self._read, list(dict.fromkeys(ids)), person)
            end = time.monotonic() + MAX_DURATION
            while True:
                for id, view in list(waiting.items()):
                    if view.state in (State.DONE, State.FAILED):
                        del waiting[id]
                        yield view
                if not waiting or time.monotonic() > end:
                    return
                due = await self._due(notifications, waiting)
                read = await when_available(self._read, due, person)
                waiting = {id: view for id, view in waiting.items() if id not in due} | read
        finally:
            self._streams.discard(notifications)

    async def _due(self, notifications: asyncio.Queue[int], waiting: dict[str, CaptionView]) -> list[str]:
        """Wait for a notification and return its id, or all ids when the poll interval has passed."""
        rows = {view.row: id for id, view in waiting.items()}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_INTERVAL):
                while True:
                    if (row := await notifications.get()) in rows:
                        return [rows[row]]
        return list(waiting)

    def _read(self, ids: list[str], person: str) -> dict[str, CaptionView]:
        views = {}
        for id in ids:
            with contextlib.suppress(NotFound):
                views[id] = self._service.captions.get(id, person=person)
        return views
