"""Brings finished captions to the people who asked: woken by the workers, and looking by itself in case it was not.

    deliveries = Deliveries(service, "telegram", service.wakes)
    await deliveries.run(send)      # until it is cancelled

`send` shows one Delivery on its platform and says where it now stands. It runs in this event loop, several at a time.
Each row is leased to one process for a minute; after a crash another one sends what is left.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bots.service import CaptionService
from bots.views import Delivery
from db.tables import now
from worker.app import Wakes

log = logging.getLogger(__name__)

POLL = 1.0  # seconds after which we look by ourselves
AT_ONCE = 20  # deliveries that may be under way
LIMIT = 50.0  # seconds that a send may take: less than its lease
TRIES = 8  # of a send that fails for an unknown reason
PAUSE = 2.0  # seconds before the second of them; each further pause is twice as long
FINISH = 5.0  # seconds for what is under way when we are stopped


@dataclass(frozen=True)
class Sent:
    """message: where the answer stands, such as "telegram:CHAT/MESSAGE"; None where nobody can react to it."""

    message: str | None = None


class RetryLater(Exception):
    """The platform asks for some time, or cannot be reached."""

    def __init__(self, seconds: float):
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class Undeliverable(Exception):
    """It can never be shown; the text says why."""


Send = Callable[[Delivery], Awaitable[Sent]]


class Deliveries:
    """front_end: whose captions. wakes: None where nobody wakes us."""

    def __init__(self, service: CaptionService, front_end: str, wakes: Wakes | None, poll: float = POLL):
        self._service, self._front_end, self._wakes, self._poll = service, front_end, wakes, poll
        self._under_way: set[asyncio.Task[None]] = set()
        self._more = False  # the last look found as many as there was room for

    async def run(self, send: Send) -> None:
        """Deliver until cancelled; then what is under way is finished."""
        loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        unsubscribe = self._wakes.subscribe(self._front_end, partial(self._wake, loop)) if self._wakes else None
        try:
            while True:
                self._woken.clear()  # before looking: what gets ready meanwhile wakes us again
                for delivery in await self._due():
                    task = asyncio.create_task(self._deliver(delivery, send))
                    self._under_way.add(task)
                    task.add_done_callback(self._done)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._poll)
        finally:
            if unsubscribe is not None:
                unsubscribe()
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=FINISH)

    async def _due(self) -> list[Delivery]:
        room = AT_ONCE - len(self._under_way)
        if not room:
            return []
        try:
            due = await asyncio.to_thread(self._service.undelivered, self._front_end, room)
        except Exception as error:  # a database that is away comes back
            log.warning("finished captions cannot be read now: %s", _line(error))
            return []
        self._more = len(due) >= room
        return due

    def _wake(self, loop: asyncio.AbstractEventLoop, row: int) -> None:
        """On a thread of the wakes."""
        loop.call_soon_threadsafe(self._woken.set)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._more:
            self._woken.set()

    async def _deliver(self, delivery: Delivery, send: Send) -> None:
        await _written_down(await self._sent(delivery, send))

    async def _sent(self, delivery: Delivery, send: Send) -> Callable[[], None]:
        """Send. Returns what writes down what came of it."""
        service, rows = self._service, delivery.rows
        try:
            async with asyncio.timeout(LIMIT):
                sent = await send(delivery)
            return partial(service.delivered, rows, sent.message)
        except RetryLater as later:
            return partial(service.postpone, rows, now() + timedelta(seconds=later.seconds), counts=False)
        except Undeliverable as never:
            log.info("caption %d cannot be delivered: %s", rows[0], never)
            return partial(service.close, rows, str(never))
        except Exception as error:
            log.exception("caption %d could not be delivered", rows[0])
            if delivery.attempts >= TRIES:
                return partial(service.close, rows, f"gave up: {type(error).__name__}")
            return partial(service.postpone, rows, now() + timedelta(seconds=PAUSE * 2 ** (delivery.attempts - 1)))


async def _written_down(write: Callable[[], None]) -> None:
    """Until the database takes it: otherwise the same answer would be sent again when its lease ends."""
    for pause in (0.5, 1, 2, 4, 8, 16, None):
        try:
            return await asyncio.to_thread(write)
        except Exception as error:
            log.warning("what became of an answer cannot be written down now: %s", _line(error))
            if pause is not None:
                await asyncio.sleep(pause)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
