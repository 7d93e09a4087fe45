"""Updates are dealt with before Telegram is told that they arrived, so that none is lost when the process dies.

What a handler does may happen twice: an update that failed half-way comes again. Rows have unique sources, so twice
is harmless.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import exc
from telegram import Update
from telegram.error import BadRequest, NetworkError, RetryAfter
from telegram.ext import Application

from bots.telegram_context import album_key

log = logging.getLogger(__name__)

TRIES = 6  # of an update that the network fails; an outage of our own is waited for as long as it takes
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
TOO_LONG = 60.0  # seconds for one photo, after which the others of its album do not wait for it
SLACK = 10.0  # seconds, for a photo that is tried again
# The database or the photo store is away.
OUTAGES = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, OSError)


class ComeAgain(Exception):
    """An update could not be dealt with now. Its handlers have nothing to take back."""

    def __init__(self, pause: float):
        super().__init__(f"again in {pause:.1f} s")
        self.pause = pause  # seconds


class Intake(asyncio.Queue[object]):
    """Stands where the library has its queue of updates: `put` returns when the update has been dealt with.

    The library's webhook answers 200 only then, and 500 after ComeAgain: Telegram sends the update again.
    """

    application: Application[Any, Any, Any, Any, Any, Any]

    def __init__(self) -> None:
        super().__init__()
        self._tries: dict[int, int] = {}  # update -> how often it failed
        self._pauses: dict[int, float] = {}  # update -> seconds until it comes again
        self._albums: dict[str, dict[int, float]] = {}  # album -> its open updates, and until when they are waited for
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def put(self, item: object) -> None:
        if isinstance(item, Update):
            await self.take(item)
        else:
            await super().put(item)

    async def take(self, update: Update) -> None:
        """Let the handlers deal with an update. Raises ComeAgain."""
        album = album_key(update.message) if update.message else None
        self._expect(album, update, TOO_LONG)
        async with self._turn(update):
            await self.application.process_update(update)
        if (pause := self._pauses.pop(update.update_id, None)) is not None:
            self._expect(album, update, pause + SLACK)
            raise ComeAgain(pause)
        self._expect(album, update, 0)
        self._tries.pop(update.update_id, None)

    def is_gathering(self, album: str | None) -> bool:
        """Whether photos of an album have arrived that are not in the database yet."""
        return any(until > time.monotonic() for until in self._albums.get(album or "", {}).values())

    def _expect(self, album: str | None, update: Update, seconds: float) -> None:
        """Its photo will be there in so many seconds at the latest; 0: it is."""
        if album is None:
            return
        photos = self._albums.setdefault(album, {})
        photos[update.update_id] = time.monotonic() + seconds
        if not self.is_gathering(album):
            del self._albums[album]

    def comes_again(self, update: Update, error: BaseException) -> bool:
        """For the error handler: whether this may go well another time. Then nobody needs to be told."""
        tries = self._tries[update.update_id] = self._tries.get(update.update_id, 0) + 1
        unreachable = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
        if isinstance(error, OUTAGES):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries - 1, 9))  # outages last as long as they last
        elif isinstance(error, RetryAfter) and tries < TRIES:
            pause = seconds_of(error)
        elif unreachable and tries < TRIES:
            pause = FIRST_PAUSE * 2 ** (tries - 1)
        else:
            return False
        log.warning("update %d is tried again in %.1f s: %s", update.update_id, pause, _line(error))
        self._pauses[update.update_id] = pause
        return True

    @contextlib.asynccontextmanager
    async def _turn(self, update: Update) -> AsyncIterator[None]:
        """What one person taps and types is done in its order; photos go side by side."""
        message, user = update.effective_message, update.effective_user
        if user is None or (message and update.callback_query is None and message.effective_attachment):
            yield
            return
        lock = self._turns.setdefault(user.id, asyncio.Lock())
        async with lock:
            yield


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram wants us to wait."""
    asked = error.retry_after  # will always be a timedelta in the library's next version
    return float(asked if isinstance(asked, int) else asked.total_seconds())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
