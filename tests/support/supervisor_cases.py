"""Tests of roles/supervisor.py. test_supervisor.py runs them in a separate process, because they send signals to it."""

import asyncio
import logging
import os
import signal
import threading

import pytest

from model.errors import CaptionbotError
from roles.supervisor import Component, in_thread, supervise

NO_DELAY = (0.0,)


def send_sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


async def forever():
    await asyncio.Event().wait()


def test_components_run_until_a_signal_and_shut_down_cleanly():
    done = []

    async def clean_up():
        try:
            await forever()
        finally:
            await asyncio.sleep(0.01)
            done.append("cleaned up")

    async def send_signal():
        send_sigterm()
        await forever()

    supervise([Component("One", clean_up), Component("Two", send_signal)])
    assert done == ["cleaned up"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_stops_the_components(number):
    async def send_signal():
        os.kill(os.getpid(), number)
        await forever()

    supervise([Component("One", send_signal)])


def failing(times, error):
    """A component that fails `times` times and then sends the signal to stop."""
    starts = []

    async def run():
        starts.append(len(starts))
        if len(starts) <= times:
            raise error
        send_sigterm()
        await forever()

    return run, starts


def test_a_component_that_fails_is_restarted_while_others_run_on(caplog):
    run, starts = failing(3, RuntimeError("broken"))
    others = []

    async def other():
        others.append("started")
        await forever()

    supervise([Component("The bot", run), Component("The page", other)], NO_DELAY)
    assert (len(starts), others) == (4, ["started"])
    assert "The bot failed" in caplog.text


def test_an_error_that_people_can_correct_is_logged_once_without_a_traceback(caplog):
    run, _ = failing(3, CaptionbotError("The token is wrong."))
    with caplog.at_level(logging.INFO):
        supervise([Component("The bot", run)], NO_DELAY)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "The bot does not run, it is tried again: The token is wrong."
    assert record.exc_info is None


def test_a_component_that_returns_is_restarted():
    starts = []

    async def run():
        starts.append(1)
        if len(starts) == 3:
            send_sigterm()
            await forever()

    supervise([Component("The bot", run)], NO_DELAY)
    assert len(starts) == 3


def test_a_required_component_that_cannot_start_ends_the_process():
    ended = []

    async def other():
        try:
            await forever()
        finally:
            ended.append("other")

    async def run():
        await asyncio.sleep(0)
        raise CaptionbotError("The port is taken.")

    with pytest.raises(CaptionbotError, match="port is taken"):
        supervise([Component("The page", run, required=True), Component("The bot", other)])
    assert ended == ["other"]


def test_blocking_code_runs_in_a_thread_and_gets_an_event_to_stop():
    seen = []

    def run(stop):
        seen.append(threading.current_thread() is threading.main_thread())
        send_sigterm()
        seen.append(stop.wait(10))

    supervise([Component("The worker", lambda: in_thread(run))])
    assert seen == [False, True]


def test_an_error_while_stopping_is_logged_and_does_not_prevent_the_exit(caplog):
    async def run():
        try:
            send_sigterm()
            await forever()
        finally:
            raise RuntimeError("cannot shut down")

    supervise([Component("The bot", run)])
    assert "cannot shut down" in caplog.text
