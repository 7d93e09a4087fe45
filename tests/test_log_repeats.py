"""What repeats in the log is written a few times, and then once a minute with a count."""

import io
import logging
import time

import pytest

from roles import log_repeats
from roles.log_repeats import FIRST, RepeatHandler
from tests.support.processes import until


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def log(output):
    handler = RepeatHandler()
    handler.setStream(output)
    logger = logging.Logger("a part")
    logger.addHandler(handler)
    yield logger
    handler.close()


def fail(log, number):
    try:
        raise OSError(f"descriptor {number}")
    except OSError:
        log.exception("connection %d failed", number)


def test_tracebacks_that_repeat_are_counted(log, output):
    for number in range(5000):
        fail(log, number)
    assert output.getvalue().count("Traceback") == FIRST
    log.handlers[0].write_counts()
    last = output.getvalue().splitlines()[-1]
    assert last == f"{5000 - FIRST} more of these within a minute, the last: connection 4999 failed"


def test_messages_are_the_same_whatever_numbers_and_hashes_they_have(log, output):
    for number in range(100):
        log.warning(f"photo {number:064x} of person {number} is at {hex(id(number))}")
    assert len(output.getvalue().splitlines()) == FIRST


def test_other_messages_are_written(log, output):
    for word in ("one", "two", "three", "four", "five"):
        log.warning(f"{word} is wrong")
    log.error("one is wrong")
    assert len(output.getvalue().splitlines()) == 6


def test_what_is_no_warning_is_written_each_time(log, output):
    for number in range(100):
        log.info("caption %d: done", number)
    assert len(output.getvalue().splitlines()) == 100


def test_the_count_is_written_when_the_minute_is_over_and_then_it_begins_anew(log, output, monkeypatch):
    monkeypatch.setattr(log_repeats, "WINDOW", 1.5)
    for number in range(10):
        log.warning("number %d", number)
    until(lambda: "7 more of these" in output.getvalue())
    time.sleep(1.5)
    log.warning("number %d", 11)
    assert output.getvalue().splitlines()[-1] == "number 11"


def test_what_was_counted_is_written_at_the_end(log, output):
    for number in range(FIRST + 1):
        log.warning("number %d", number)
    log.handlers[0].close()
    assert output.getvalue().splitlines()[-1] == "1 more of these within a minute, the last: number 3"


def test_endless_kinds_of_messages_take_no_endless_memory(log, output, monkeypatch):
    monkeypatch.setattr(log_repeats, "MOST_KINDS", 10)
    for number in range(1000):
        log.warning("kind " + "".join(chr(97 + int(digit)) for digit in str(number)))
    assert len(output.getvalue().splitlines()) == 10 + FIRST
