"""Checks of what the service needs. Any of them may hang: a server that answers nothing, a store on a dead network."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
TIMEOUT = 2.0  # seconds until a check counts as hanging


class Probe(Generic[T]):
    """Runs a check in a thread of its own, and never twice at the same time: one that hangs costs one thread."""

    def __init__(self, name: str, check: Callable[[], T]):
        """check: raises nothing."""
        self._name, self._check = name, check
        self._running: Future[T] | None = None

    async def result(self) -> T:
        """The result of the check. Raises TimeoutError if it hangs."""
        if self._running is None or self._running.done():
            self._running = Future()
            threading.Thread(target=self._run, args=(self._running,), name=self._name, daemon=True).start()
        async with asyncio.timeout(TIMEOUT):
            return await asyncio.shield(asyncio.wrap_future(self._running))

    def _run(self, future: "Future[T]") -> None:
        try:
            future.set_result(self._check())
        except BaseException as error:
            future.set_exception(error)
