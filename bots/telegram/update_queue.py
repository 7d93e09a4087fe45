"""The application's update queue: `put` returns only after the handlers have processed the update.

Telegram therefore gets its confirmation after the work is done, and an update is not lost when the process dies. It
also means that handlers may run twice: an update that failed half-way comes again. This is harmless, because the rows
that they write have unique sources.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import Application

from bots.errors import one_line
from bots.service.outages import is_outage
from bots.telegram.failures import seconds_until_retry
from bots.telegram.keys import album_key
from db.outages import noted

log = logging.getLogger(__name__)

MAX_ATTEMPTS = (
    6  # of an update whose calls of the Bot API fail; outages of our own are waited for however long they last
)
FIRST_DELAY, MAX_DELAY = 0.5, 30.0  # seconds
PHOTO_TIMEOUT = 60.0  # seconds that the rest of an album waits for one of its photos
RETRY_MARGIN = 10.0  # seconds more for a photo that is tried again


class RetryUpdate(Exception):
    """An update could not be processed and shall come again after `delay` seconds."""

    def __init__(self, delay: float):
        super().__init__(f"again in {delay:.1f} s")
        self.delay = delay


class UpdateQueue(asyncio.Queue[object]):
    """Processes updates instead of storing them.

    The library's webhook awaits `put` before it answers: with 200 after the work, with 500 after RetryUpdate, which
    makes Telegram send the update again. PollingUpdater calls `process` itself.
    """

    application: Application[Any, Any, Any, Any, Any, Any]

    def __init__(self) -> None:
        super().__init__()
        self._attempts: dict[int, int] = {}  # update id -> how often it failed
        self._delays: dict[int, float] = {}  # update id -> seconds until it is tried again
        self._albums: dict[str, dict[int, float]] = {}  # album key -> update id -> time.monotonic() of its deadline
        self._user_locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def put(self, item: object) -> None:
        if isinstance(item, Update):
            await self.process(item)
        else:
            await super().put(item)

    async def process(self, update: Update) -> None:
        """Run the handlers for an update. Raises RetryUpdate if the error handler asked for another attempt."""
        album = album_key(update.message) if update.message else None
        self._set_deadline(album, update, PHOTO_TIMEOUT)
        async with self._user_lock(update):
            await self.application.process_update(update)
        if (delay := self._delays.pop(update.update_id, None)) is not None:
            self._set_deadline(album, update, delay + RETRY_MARGIN)
            raise RetryUpdate(delay)
        self._set_deadline(album, update, 0)
        self._attempts.pop(update.update_id, None)

    def is_album_incomplete(self, album: str | None) -> bool:
        """Whether photos of an album have arrived that are not in the database yet."""
        return any(deadline > time.monotonic() for deadline in self._albums.get(album or "", {}).values())

    def _set_deadline(self, album: str | None, update: Update, seconds: float) -> None:
        """Let the album wait for the photo of this update for so long; 0 when it is stored."""
        if album is None:
            return
        deadlines = self._albums.setdefault(album, {})
        deadlines[update.update_id] = time.monotonic() + seconds
        if not self.is_album_incomplete(album):
            del self._albums[album]

    def schedule_retry(self, update: Update, error: BaseException) -> bool:
        """For the error handler: have the update tried again if the error may be temporary. Returns whether it is."""
        attempts = self._attempts[update.update_id] = self._attempts.get(update.update_id, 0) + 1
        growing = FIRST_DELAY * 2 ** min(attempts - 1, 9)
        if is_outage(error):
            delay = min(MAX_DELAY, growing)
        elif attempts < MAX_ATTEMPTS and (pause := seconds_until_retry(error)) is not None:
            delay = max(pause, growing)
        else:
            return False
        level = logging.DEBUG if noted(error) else logging.WARNING
        log.log(level, "update %d is tried again in %.1f s: %s", update.update_id, delay, one_line(error))
        self._delays[update.update_id] = delay
        return True

    @contextlib.asynccontextmanager
    async def _user_lock(self, update: Update) -> AsyncIterator[None]:
        """Process what one user presses and types in its order. Messages with files are processed concurrently."""
        message, user = update.effective_message, update.effective_user
        if user is None or (message and update.callback_query is None and message.effective_attachment):
            yield
            return
        lock = self._user_locks.setdefault(user.id, asyncio.Lock())
        async with lock:
            yield
