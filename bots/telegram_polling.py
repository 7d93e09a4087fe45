"""Long polling that keeps behind the work: an update is confirmed when it, and all before it, have been dealt with.

The library's own polling confirms updates as soon as it has fetched them. A process that is killed then loses them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Updater

from bots.telegram_context import Bot
from bots.telegram_intake import ComeAgain, Intake, seconds_of

log = logging.getLogger(__name__)

AT_ONCE = 100  # updates that Telegram gives at a time: as many may be open
LOOK_AGAIN = 0.2  # seconds until new updates are asked for while others are open, which come with them once more
LOOK_AGAIN_AT_LAST = 1.0  # seconds, if there were no new ones several times
STOPPING = 5.0  # seconds for open updates when the bot stops
LONGEST_PAUSE = 30.0  # seconds between tries while Telegram cannot be reached


class Polling(Updater):
    def __init__(self, bot: Bot, intake: Intake):
        super().__init__(bot, intake)
        self._intake = intake
        self._poller: asyncio.Task[None] | None = None
        self._open: dict[int, asyncio.Task[None]] = {}  # updates that Telegram still keeps
        self._offset: int | None = None

    @property
    def running(self) -> bool:
        return self._poller is not None or super().running

    async def start_polling(
        self,
        poll_interval: float = 0.0,
        timeout: int | timedelta = timedelta(seconds=30),
        bootstrap_retries: int = 0,
        allowed_updates: Sequence[str] | None = None,
        drop_pending_updates: bool | None = None,
        error_callback: Callable[[TelegramError], None] | None = None,
    ) -> "asyncio.Queue[object]":
        """As the library's, of whose ways to wait and to hear of errors this has its own. Raises TelegramError."""
        if self.running:
            raise RuntimeError("it is running")
        await self.bot.delete_webhook(drop_pending_updates=drop_pending_updates)
        self._poller = asyncio.create_task(self._poll(timeout, allowed_updates), name="polling")
        return self.update_queue

    async def stop(self) -> None:
        """Finish what is open, if it does not take long, and confirm it. What remains comes again at the next start."""
        if self._poller is None:
            return await super().stop()
        self._poller.cancel()
        await asyncio.wait([self._poller])
        if self._open:
            await asyncio.wait(self._open.values(), timeout=STOPPING)
        self._forget_finished()
        for task in self._open.values():
            task.cancel()
        if self._offset is not None:
            with contextlib.suppress(TelegramError):
                await self.bot.get_updates(offset=self._offset, limit=1, timeout=0)
        self._open, self._poller = {}, None

    async def _poll(self, timeout: int | timedelta, allowed_updates: Sequence[str] | None) -> None:
        failures, pause = 0, LOOK_AGAIN
        while True:
            asked: dict[str, Any] = {"offset": self._offset, "limit": AT_ONCE, "allowed_updates": allowed_updates}
            try:
                updates = await self.bot.get_updates(timeout=0 if self._open else timeout, **asked)
                failures = 0
            except Exception as error:  # whatever it is: a bot that no longer polls would look alive
                failures += 1
                await asyncio.sleep(_pause(error, failures))
                continue
            new = [update for update in updates if update.update_id not in self._open]
            for update in new:
                self._open[update.update_id] = asyncio.create_task(self._deal_with(update))
            pause = LOOK_AGAIN if new else min(2 * pause, LOOK_AGAIN_AT_LAST)
            if self._open:
                await asyncio.wait(self._open.values(), timeout=pause)
            self._forget_finished()

    async def _deal_with(self, update: Update) -> None:
        while True:
            try:
                return await self._intake.take(update)
            except ComeAgain as again:
                await asyncio.sleep(again.pause)

    def _forget_finished(self) -> None:
        """Move the offset behind the finished updates, up to the first that is not."""
        if self._open:
            unfinished = [id for id, task in self._open.items() if not task.done()]
            self._offset = min(unfinished) if unfinished else max(self._open) + 1
            self._open = {id: task for id, task in self._open.items() if id >= self._offset}


def _pause(error: Exception, failures: int) -> float:
    """Say what is wrong, once in a while, and give the seconds to wait."""
    pause = min(LONGEST_PAUSE, 2.0 ** min(failures - 1, 9))  # without end it would outgrow what a float can hold
    if isinstance(error, RetryAfter):
        pause = seconds_of(error)
    if isinstance(error, Conflict):
        log.error("another process polls with this token, or a webhook is set: only one may (%s)", error)
        return max(pause, 3.0)
    if isinstance(error, InvalidToken):
        log.error("Telegram no longer takes TELEGRAM_TOKEN: was it revoked?")
        return LONGEST_PAUSE
    if not isinstance(error, TelegramError):
        log.error("the library cannot read what Telegram sends", exc_info=error)
        return pause
    log.log(logging.WARNING if failures in (1, 5) else logging.DEBUG, "Telegram does not answer: %s", error)
    return pause
