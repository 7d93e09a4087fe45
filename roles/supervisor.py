"""Runs the parts of a process in one event loop until Ctrl-C or SIGTERM; a part that fails is started again.

A part is a coroutine that works until it is cancelled, and then ends in good order.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from model.errors import CaptionbotError

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PAUSES = (5.0, 15.0, 60.0, 300.0)  # seconds until a part that failed is started again
SETTLED = 300.0  # seconds; a part that fails after so long had been running, and the pauses begin anew
STOP = 40.0  # seconds that the parts have to end
THREADS = 32  # for calls to the database and the photo store


@dataclass(frozen=True)
class Part:
    """name: as a sentence begins. needed: the process ends if this part cannot start."""

    name: str
    run: Callable[[], Awaitable[None]]
    needed: bool = False


class Unfinished(Exception):
    """A part could not end what it had begun: the process ends without waiting for it."""


def supervise(parts: Sequence[Part], pauses: Sequence[float] = PAUSES) -> None:
    """Run until a signal. Raises what keeps a needed part from starting."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(ThreadPoolExecutor(THREADS, "service"))
        runner.run(_supervise(parts, pauses))


async def in_thread(run: Callable[[threading.Event], None]) -> None:
    """A part that blocks: `run` gets an event, and returns soon after it was set."""
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(run, stop))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await running
        raise


async def _supervise(parts: Sequence[Part], pauses: Sequence[float]) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, told.set)
    kept = [asyncio.create_task(_keep(part, pauses), name=part.name) for part in parts]
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({waiting, *kept}, return_when=asyncio.FIRST_COMPLETED)
    for number in SIGNALS:  # told twice, the process ends at once
        loop.remove_signal_handler(number)
    if told.is_set():
        log.info("stopping: what was begun is finished")
    for task in (waiting, *kept):
        task.cancel()
    ended, late = await asyncio.wait(kept, timeout=STOP)
    errors = [error for task in ended if not task.cancelled() and (error := task.exception())]
    unfinished = [str(error) for error in errors if isinstance(error, Unfinished)]
    unfinished += [f"{task.get_name()} did not end" for task in late]
    if unfinished:
        log.warning("; ".join(unfinished))
        logging.shutdown()
        os._exit(1)
    for error in errors:
        if not told.is_set():
            raise error
        log.error("while stopping:", exc_info=error)


async def _keep(part: Part, pauses: Sequence[float]) -> None:
    """Run a part again and again until cancelled. What is said already is not said again."""
    this = asyncio.current_task()
    assert this is not None
    failures, said = 0, ""
    while True:
        started = time.monotonic()
        try:
            await part.run()
            raise RuntimeError("it ended by itself")
        except Exception as error:
            if this.cancelling():
                raise
            if time.monotonic() - started > SETTLED:
                failures = 0
            elif part.needed and not failures:
                raise
            pause = pauses[min(failures, len(pauses) - 1)]
            _say(part, error, pause, known=str(error) == said)
            failures, said = failures + 1, str(error)
            await asyncio.sleep(pause)


def _say(part: Part, error: Exception, pause: float, *, known: bool) -> None:
    if isinstance(error, CaptionbotError):
        level = logging.DEBUG if known else logging.ERROR
        log.log(level, "%s does not run, it is tried again: %s", part.name, error)
    else:
        log.error("%s failed, it is tried again in %d s", part.name, pause, exc_info=error)
