"""Long polling that confirms an update only after it, and all updates before it, have been processed.

The library's own polling confirms updates as soon as it has fetched them, so a process that is killed loses those that
it has not processed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from telegram import Update
from telegram.constants import PollingLimit
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Updater

from bots.telegram.context import Bot
from bots.telegram.rate_limiter import retry_after_seconds
from bots.telegram.update_queue import RetryUpdate, UpdateQueue

log = logging.getLogger(__name__)

MIN_INTERVAL = 0.2  # seconds between polls while updates are being processed, because Telegram returns them again
MAX_INTERVAL = 1.0  # seconds, reached when several polls in a row brought nothing new
STOP_TIMEOUT = 5.0  # seconds that updates in progress get when the bot stops
MAX_DELAY = 30.0  # seconds between attempts while Telegram cannot be reached


class PollingUpdater(Updater):
    """Fetches updates and processes them concurrently. A webhook is left to the library's Updater."""

    def __init__(self, bot: Bot, update_queue: UpdateQueue):
        super().__init__(bot, update_queue)
        self._updates = update_queue
        self._poll_task: asyncio.Task[None] | None = None
        self._in_progress: dict[int, asyncio.Task[None]] = {}  # update id -> its task, until it is confirmed
        self._offset: int | None = None

    @property
    def running(self) -> bool:
        return self._poll_task is not None or super().running

    async def start_polling(
        self,
        poll_interval: float = 0.0,
        timeout: int | timedelta = timedelta(seconds=30),
        bootstrap_retries: int = 0,
        allowed_updates: Sequence[str] | None = None,
        drop_pending_updates: bool | None = None,
        error_callback: Callable[[TelegramError], None] | None = None,
    ) -> "asyncio.Queue[object]":
        """Like the library's method, but without `poll_interval`, `bootstrap_retries` and `error_callback`.

        Raises:
            TelegramError: the webhook cannot be removed.
            RuntimeError: it is running already.
        """
        if self.running:
            raise RuntimeError("the updater is running already")
        await self.bot.delete_webhook(drop_pending_updates=drop_pending_updates)
        self._poll_task = asyncio.create_task(self._poll(timeout, allowed_updates), name="polling")
        return self.update_queue

    async def stop(self) -> None:
        """Finish updates in progress if they do not take long, and confirm them. The others come after a restart."""
        if self._poll_task is None:
            return await super().stop()
        self._poll_task.cancel()
        await asyncio.wait([self._poll_task])
        if self._in_progress:
            await asyncio.wait(self._in_progress.values(), timeout=STOP_TIMEOUT)
        self._advance_offset()
        for task in self._in_progress.values():
            task.cancel()
        if self._offset is not None:
            with contextlib.suppress(TelegramError):
                await self.bot.get_updates(offset=self._offset, limit=1, timeout=0)
        self._in_progress, self._poll_task = {}, None

    async def _poll(self, timeout: int | timedelta, allowed_updates: Sequence[str] | None) -> None:
        failures, interval = 0, MIN_INTERVAL
        while True:
            params: dict[str, Any] = {
                "offset": self._offset,
                "limit": PollingLimit.MAX_LIMIT,
                "timeout": 0 if self._in_progress else timeout,
                "allowed_updates": allowed_updates,
            }
            try:
                updates = await self.bot.get_updates(**params)
                failures = 0
            except Exception as error:  # of any kind: a bot that has stopped polling would still look alive
                failures += 1
                await asyncio.sleep(_delay_after(error, failures))
                continue
            new = [update for update in updates if update.update_id not in self._in_progress]
            for update in new:
                self._in_progress[update.update_id] = asyncio.create_task(self._process(update))
            interval = MIN_INTERVAL if new else min(2 * interval, MAX_INTERVAL)
            if self._in_progress:
                await asyncio.wait(self._in_progress.values(), timeout=interval)
            self._advance_offset()

    async def _process(self, update: Update) -> None:
        while True:
            try:
                return await self._updates.process(update)
            except RetryUpdate as retry:
                await asyncio.sleep(retry.delay)

    def _advance_offset(self) -> None:
        """Move the offset past the processed updates, up to the first one that is still in progress."""
        if self._in_progress:
            unfinished = [id for id, task in self._in_progress.items() if not task.done()]
            self._offset = min(unfinished) if unfinished else max(self._in_progress) + 1
            self._in_progress = {id: task for id, task in self._in_progress.items() if id >= self._offset}


def _delay_after(error: Exception, failures: int) -> float:
    """Log why polling fails, and return the seconds to wait. failures: consecutive ones, this one included."""
    delay = min(MAX_DELAY, 2.0 ** min(failures - 1, 9))  # a larger exponent could overflow a float
    if isinstance(error, RetryAfter):
        delay = retry_after_seconds(error)
    if isinstance(error, Conflict):
        log.error("another process polls with this token, or a webhook is set: only one may (%s)", error)
        return max(delay, 3.0)
    if isinstance(error, InvalidToken):
        # The library's name for any 404 too, such as that of a proxy whose Bot API server is away.
        log.error("Telegram no longer takes TELEGRAM_TOKEN: was it revoked? Is TELEGRAM_API_URL right? (%s)", error)
        return MAX_DELAY
    if not isinstance(error, TelegramError):
        log.error("the library cannot read what Telegram sends", exc_info=error)
        return delay
    log.log(logging.WARNING if failures in (1, 5) else logging.DEBUG, "Telegram does not answer: %s", error)
    return delay
