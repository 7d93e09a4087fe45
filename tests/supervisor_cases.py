"""What supervisor.py promises; test_supervisor.py runs this file in a process of its own, which its signals may end."""

import asyncio
import logging
import os
import signal
import threading

import pytest

from model.errors import CaptionbotError
from roles.supervisor import Part, in_thread, supervise

AT_ONCE = (0.0,)


def told_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


async def forever():
    await asyncio.Event().wait()


def test_parts_run_until_a_signal_and_end_in_good_order():
    done = []

    async def tidy():
        try:
            await forever()
        finally:
            await asyncio.sleep(0.01)
            done.append("tidied")

    async def signalling():
        told_to_stop()
        await forever()

    supervise([Part("One", tidy), Part("Two", signalling)])
    assert done == ["tidied"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_stop(number):
    async def signalling():
        os.kill(os.getpid(), number)
        await forever()

    supervise([Part("One", signalling)])


def failing(times, error):
    """A part that fails so often, then has everything stopped."""
    starts = []

    async def run():
        starts.append(len(starts))
        if len(starts) <= times:
            raise error
        told_to_stop()
        await forever()

    return run, starts


def test_a_part_that_fails_is_started_again_while_others_go_on(caplog):
    run, starts = failing(3, RuntimeError("broken"))
    others = []

    async def other():
        others.append("started")
        await forever()

    supervise([Part("The bot", run), Part("The page", other)], AT_ONCE)
    assert (len(starts), others) == (4, ["started"])
    assert "The bot failed" in caplog.text


def test_what_people_can_put_right_is_said_once_in_a_sentence_without_a_traceback(caplog):
    run, _ = failing(3, CaptionbotError("The token is wrong."))
    with caplog.at_level(logging.INFO):
        supervise([Part("The bot", run)], AT_ONCE)
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in said] == ["The bot does not run, it is tried again: The token is wrong."]
    assert said[0].exc_info is None


def test_a_part_that_ends_by_itself_is_started_again():
    starts = []

    async def run():
        starts.append(1)
        if len(starts) == 3:
            told_to_stop()
            await forever()

    supervise([Part("The bot", run)], AT_ONCE)
    assert len(starts) == 3


def test_a_needed_part_that_cannot_start_ends_all():
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
        supervise([Part("The page", run, needed=True), Part("The bot", other)])
    assert ended == ["other"]


def test_what_blocks_runs_in_a_thread_that_is_told_to_stop():
    seen = []

    def run(stop):
        seen.append(threading.current_thread() is threading.main_thread())
        told_to_stop()
        seen.append(stop.wait(10))

    supervise([Part("The worker", lambda: in_thread(run))])
    assert seen == [False, True]


def test_an_error_while_stopping_is_logged_and_keeps_nobody(caplog):
    async def run():
        try:
            told_to_stop()
            await forever()
        finally:
            raise RuntimeError("cannot say goodbye")

    supervise([Part("The bot", run)])
    assert "cannot say goodbye" in caplog.text
