"""Gives acknowledgements of interactions priority: Discord waits for them, and only for 3 seconds."""

import asyncio
import contextlib

TIME_LIMIT = 3.0  # seconds that Discord allows


class PendingAcknowledgements:
    """Counts interactions that are being acknowledged, so that work on images can wait for them.

    with pending: ...             acknowledge an interaction
    await pending.wait_for_none() before work that takes processor time
    """

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(self, *error: object) -> None:
        self._count -= 1
        if not self._count:
            self._none.set()

    async def wait_for_none(self) -> None:
        """Return when none is pending, at the latest after the time limit of an acknowledgement."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), TIME_LIMIT)
