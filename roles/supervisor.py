"""Runs the components of a process in one event loop until Ctrl-C or SIGTERM, and restarts those that fail.

A component is a coroutine function, such as the web page or a chat bot. It runs until it is cancelled, and then shuts
down cleanly.
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
RESTART_DELAYS = (5.0, 15.0, 60.0, 300.0)  # seconds before each restart of a component; the last one repeats
STABLE_AFTER = 300.0  # seconds; when a component fails after that long, its delays begin with the first again
SHUTDOWN_TIMEOUT = 40.0  # seconds that the components have to shut down
THREADS = 32  # for calls to the database and the photo store


@dataclass(frozen=True)
class Component:
    name: str  # as it stands at the start of a sentence
    run: Callable[[], Awaitable[None]]
    required: bool = False  # the process ends if this component cannot start


class Stopped(Exception):
    """A component that had started has stopped. It is started again, however young the process is."""


class Unfinished(Exception):
    """A component could not finish its work: the process exits with code 1 and does not wait for it."""


def supervise(components: Sequence[Component], delays: Sequence[float] = RESTART_DELAYS) -> None:
    """Run the components until a signal arrives. Raises the error that keeps a required component from starting."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(ThreadPoolExecutor(THREADS, "service"))
        runner.run(_supervise(components, delays))


async def in_thread(run: Callable[[threading.Event], None]) -> None:
    """Run blocking code as a component: `run` gets an event and must return soon after it is set."""
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(run, stop))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await running
        raise


async def _supervise(components: Sequence[Component], delays: Sequence[float]) -> None:
    stop_requested, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop_requested.set)
    tasks = [asyncio.create_task(_keep_running(each, delays), name=each.name) for each in components]
    stopping = asyncio.create_task(stop_requested.wait())
    await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for number in SIGNALS:  # a second signal ends the process at once
        loop.remove_signal_handler(number)
    if stop_requested.is_set():
        log.info("stopping: what was begun is finished")
    for task in (stopping, *tasks):
        task.cancel()
    ended, late = await asyncio.wait(tasks, timeout=SHUTDOWN_TIMEOUT)
    errors = [error for task in ended if not task.cancelled() and (error := task.exception())]
    unfinished = [str(error) for error in errors if isinstance(error, Unfinished)]
    unfinished += [f"{task.get_name()} did not end" for task in late]
    if unfinished:
        log.warning("; ".join(unfinished))
        logging.shutdown()
        os._exit(1)
    for error in errors:
        if not stop_requested.is_set():
            raise error
        log.error("while stopping:", exc_info=error)


async def _keep_running(component: Component, delays: Sequence[float]) -> None:
    """Run a component and restart it when it fails, until cancelled."""
    this_task = asyncio.current_task()
    assert this_task is not None
    failures, last_message = 0, ""
    while True:
        started = time.monotonic()
        try:
            await component.run()
            raise RuntimeError("it ended by itself")
        except Exception as error:
            if this_task.cancelling():
                raise
            if time.monotonic() - started > STABLE_AFTER:
                failures = 0
            elif component.required and not failures and not isinstance(error, Stopped):
                raise
            delay = delays[min(failures, len(delays) - 1)]
            _log_failure(component, error, delay, repeated=str(error) == last_message)
            failures, last_message = failures + 1, str(error)
            await asyncio.sleep(delay)


def _log_failure(component: Component, error: Exception, delay: float, *, repeated: bool) -> None:
    """Log an error that people can put right without a traceback, and at INFO only the first time."""
    if isinstance(error, (CaptionbotError, Stopped)):
        level = logging.DEBUG if repeated else logging.ERROR
        log.log(level, "%s does not run, it is tried again: %s", component.name, error)
    else:
        log.error("%s failed, it is tried again in %d s", component.name, delay, exc_info=error)
