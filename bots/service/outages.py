"""Outages of what the service needs: they are waited for, and nobody's photo or vote is given up because of them.

HTTP clients are told to come back (503), and Telegram sends an update again. Discord sends each event once, so its
handlers wait here.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from bots.errors import StorageUnavailable, one_line
from db import outages
from db.store_state import StoreUnavailable

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
PATIENCE = 3600.0  # seconds; each call that waits takes memory
FIRST_DELAY, MAX_DELAY = 0.5, 10.0  # seconds


def is_outage(error: BaseException | None) -> bool:
    """Whether a call of the service failed with what passes by itself or is the operator's to mend."""
    return isinstance(error, (StorageUnavailable, StoreUnavailable)) or outages.is_outage(error)


async def when_available(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a call of the service in a thread; while what it needs is away, run it again, for at most an hour."""
    end, delay = time.monotonic() + PATIENCE, FIRST_DELAY
    while True:
        try:
            return await asyncio.to_thread(call, *args, **kwargs)
        except Exception as error:
            if not is_outage(error) or time.monotonic() > end:
                raise
            if not outages.noted(error) and delay == FIRST_DELAY:
                log.warning("the service waits: %s", one_line(error))
        await asyncio.sleep(delay)
        delay = min(2 * delay, MAX_DELAY)
