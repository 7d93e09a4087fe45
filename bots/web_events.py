"""Tells browsers when their captions are ready: woken by the worker, and looking by itself in case it was not."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator, Sequence

from bots.errors import NotFound
from bots.service import CaptionService
from bots.views import CaptionView
from db.tables import State
from worker.app import Wakes

LOOK = 2.0  # seconds after which a stream looks by itself
LIFE = 600.0  # seconds a stream lives; the browser then opens the next one


class Completions:
    """Streams of captions that get ready, all fed by one subscription."""

    def __init__(self, service: CaptionService, wakes: Wakes | None):
        """wakes: None where nobody wakes us, then streams only look by themselves."""
        self._service, self._wakes = service, wakes
        self._streams: set[asyncio.Queue[int]] = set()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While the site runs. Call it on the event loop that serves it."""
        if self._wakes is None:
            yield
            return
        loop = asyncio.get_running_loop()

        def wake(row: int) -> None:  # on a thread of the wakes
            loop.call_soon_threadsafe(self._wake, row)

        unsubscribe = self._wakes.subscribe("web", wake)
        try:
            yield
        finally:
            unsubscribe()

    def _wake(self, row: int) -> None:
        for stream in self._streams:
            stream.put_nowait(row)

    async def follow(self, ids: Sequence[str], person: str) -> AsyncGenerator[CaptionView]:
        """Each of these captions once it is done or has failed. Ends when all are; unknown ones are passed over."""
        woken: asyncio.Queue[int] = asyncio.Queue()
        self._streams.add(woken)  # before the first look, so that nothing falls between
        try:
            waiting = await self._look(dict.fromkeys(ids), person)
            until = time.monotonic() + LIFE
            while True:
                for id, view in list(waiting.items()):
                    if view.state in (State.DONE, State.FAILED):
                        del waiting[id]
                        yield view
                if not waiting or time.monotonic() > until:
                    return
                due = await self._due(woken, waiting)
                waiting = {id: view for id, view in waiting.items() if id not in due} | await self._look(due, person)
        finally:
            self._streams.discard(woken)

    async def _due(self, woken: asyncio.Queue[int], waiting: dict[str, CaptionView]) -> list[str]:
        """The ids to look at again: those of which we were told, after a while all."""
        rows = {view.row: id for id, view in waiting.items()}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                while True:
                    if (row := await woken.get()) in rows:
                        return [rows[row]]
        return list(waiting)

    async def _look(self, ids: Sequence[str] | dict[str, None], person: str) -> dict[str, CaptionView]:
        return await asyncio.to_thread(self._look_now, list(ids), person)

    def _look_now(self, ids: list[str], person: str) -> dict[str, CaptionView]:
        found = {}
        for id in ids:
            with contextlib.suppress(NotFound):
                found[id] = self._service.result(id, person=person)
        return found
