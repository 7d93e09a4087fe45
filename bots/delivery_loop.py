"""Delivers finished captions to a chat platform. Workers wake the loop, and it polls in case a message was lost.

    loop = DeliveryLoop(service, "telegram", service.notifier)
    await loop.run(send, withdraw)      # until it is cancelled

`send` shows one Delivery on its platform and returns which message shows it. `withdraw` gets the captions that were
removed while they were sent, and takes them out of that message. Both run in this event loop, for several
deliveries at a time. Each row is leased to one process for a minute; after a crash another process delivers it.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bots.errors import one_line
from bots.service.outages import is_outage
from bots.service.service import CaptionService
from bots.service.views import CaptionView, Delivery
from db.outages import noted
from db.tables import now
from worker.job_queue import Notifier

log = logging.getLogger(__name__)

POLL = 1.0  # seconds between polls
MAX_CONCURRENT = 20  # deliveries at the same time
SEND_TIMEOUT = 50.0  # seconds; shorter than the lease
MAX_ATTEMPTS = 8  # of a delivery that fails for an unknown reason
RETRY_DELAY = 2.0  # seconds before the second attempt; each further delay is twice as long
OUTAGE_DELAY = 2.0  # seconds until the next attempt while the database does not answer
SHUTDOWN_TIMEOUT = 5.0  # seconds for running deliveries to finish


@dataclass(frozen=True)
class Sent:
    """A successful delivery.

    Attributes:
        message: key of the message that shows it, such as "telegram:CHAT/MESSAGE"; None if nobody can react to it.
    """

    message: str | None = None


class RetryLater(Exception):
    """The platform asks to wait, or cannot be reached. Not counted as a failed attempt."""

    def __init__(self, seconds: float):
        super().__init__(f"retry in {seconds:g} s")
        self.seconds = seconds


class Undeliverable(Exception):
    """The caption can never be shown. The text is the reason."""


Send = Callable[[Delivery], Awaitable[Sent]]
Withdraw = Callable[[Sequence[CaptionView]], Awaitable[None]]


class DeliveryLoop:
    """Delivers the captions of one front-end. notifier: notifications by workers; None to poll only."""

    def __init__(self, service: CaptionService, front_end: str, notifier: Notifier | None, poll: float = POLL):
        self._service, self._front_end, self._notifier, self._poll = service, front_end, notifier, poll
        self._running: set[asyncio.Task[None]] = set()
        self._unsaved: set[int] = set()  # rows that were sent, or could not be, and whose outcome is not stored yet
        self._more = False  # whether the last query was cut off by its limit, so that more may be due

    async def run(self, send: Send, withdraw: Withdraw) -> None:
        """Deliver until cancelled; then wait for the running deliveries."""
        loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        unsubscribe = self._notifier.subscribe(self._front_end, partial(self._wake, loop)) if self._notifier else None
        try:
            while True:
                self._woken.clear()  # before the query: captions that finish meanwhile wake us again
                for delivery in await self._due():
                    task = asyncio.create_task(self._deliver(delivery, send, withdraw))
                    self._running.add(task)
                    task.add_done_callback(self._done)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._poll)
        finally:
            if unsubscribe is not None:
                unsubscribe()
            if self._running:
                await asyncio.wait(self._running, timeout=SHUTDOWN_TIMEOUT)

    async def _due(self) -> list[Delivery]:
        free = MAX_CONCURRENT - len(self._running)
        if not free:
            return []
        try:
            due = await asyncio.to_thread(self._service.deliveries.undelivered, self._front_end, free)
        except Exception as error:  # the database may become available again
            if not noted(error):
                log.warning("cannot read finished captions, trying again: %s", one_line(error))
            return []
        self._more = len(due) >= free
        return [delivery for delivery in due if self._unsaved.isdisjoint(delivery.rows)]

    def _wake(self, loop: asyncio.AbstractEventLoop, row: int) -> None:
        """Called on another thread when a caption is finished."""
        loop.call_soon_threadsafe(self._woken.set)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._more:
            self._woken.set()

    async def _deliver(self, delivery: Delivery, send: Send, withdraw: Withdraw) -> None:
        outcome = await self._send(delivery, send)
        self._unsaved.update(delivery.rows)
        try:
            removed = await _save(outcome)
        finally:
            self._unsaved.difference_update(delivery.rows)
        if removed:
            await withdraw(removed)

    async def _send(self, delivery: Delivery, send: Send) -> Callable[[], Sequence[CaptionView] | None]:
        """Send one delivery. Returns a function that stores the outcome, and returns what was removed meanwhile."""
        deliveries, rows = self._service.deliveries, delivery.rows
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                sent = await send(delivery)
            return partial(self._note_sent, delivery, sent)
        except RetryLater as later:
            return partial(deliveries.postpone, rows, now() + timedelta(seconds=later.seconds), counts=False)
        except Undeliverable as never:
            log.info("caption %d cannot be delivered: %s", rows[0], never, extra={"caption": rows[0]})
            return partial(deliveries.close, rows, str(never))
        except Exception as error:
            if is_outage(error):
                return partial(deliveries.postpone, rows, now() + timedelta(seconds=OUTAGE_DELAY), counts=False)
            log.exception("caption %d could not be delivered", rows[0], extra={"caption": rows[0]})
            if delivery.attempts >= MAX_ATTEMPTS:
                return partial(deliveries.close, rows, f"gave up: {type(error).__name__}")
            return partial(
                deliveries.postpone, rows, now() + timedelta(seconds=RETRY_DELAY * 2 ** (delivery.attempts - 1))
            )

    def _note_sent(self, delivery: Delivery, sent: Sent) -> list[CaptionView]:
        """Store which message shows the captions. Returns those that were removed while they were sent."""
        left = self._service.deliveries.delivered(delivery.rows, sent.message)
        return [replace(caption, message=sent.message) for caption in delivery.captions if caption.row not in left]


async def _save(write: Callable[[], Sequence[CaptionView] | None]) -> Sequence[CaptionView] | None:
    """Store an outcome, retrying: otherwise the same answer would be sent again when its lease ends."""
    for attempt in itertools.count():
        try:
            return await asyncio.to_thread(write)
        except Exception as error:
            if not noted(error) and attempt == 0:
                log.warning("cannot store the outcome of a delivery: %s", one_line(error))
            if not is_outage(error) and attempt >= MAX_ATTEMPTS:
                log.exception("the outcome of a delivery is lost")
                return None
        await asyncio.sleep(min(OUTAGE_DELAY, 0.5 * 2**attempt))
    raise AssertionError("itertools.count never ends")
