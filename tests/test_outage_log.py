"""Each process says once that PostgreSQL or Redis is not available and once that it is again, whatever noticed it."""

import logging
import re
import time

import pytest

from db.outage_log import OutageLog
from tests.support.processes import SECRET_KEY, Installation, until

MOST_LINES = 3  # of one process about one outage
QUIET = 1.0  # seconds, of a log in this process
MEANWHILE = 8.0  # seconds in which each part of a process notices the outage, most of them several times


@pytest.fixture
def outages(caplog):
    caplog.set_level(logging.INFO)
    return OutageLog("the server", "photos stay", quiet=QUIET)


def test_an_outage_is_said_once_and_its_end_once(outages, caplog):
    for _ in range(50):
        outages.failed(OSError("it is\ndown"))
    outages.answered()
    outages.answered()
    until(lambda: len(caplog.messages) == 2)
    down, up = caplog.messages
    assert down == "the server is not available, photos stay: it is down"
    assert re.fullmatch(r"the server is available again after \d+ s", up)
    outages.failed(OSError("down again"))
    assert caplog.messages[2:] == ["the server is not available, photos stay: down again"]


def test_a_standby_that_answers_some_calls_and_refuses_others_is_one_outage(outages, caplog):
    for _ in range(20):
        outages.failed(OSError("read-only"))
        outages.answered()
    outages.failed(OSError("read-only"))
    time.sleep(2 * QUIET)
    assert len(caplog.messages) == 1
    outages.answered()
    until(lambda: len(caplog.messages) == 2)


def test_a_server_that_was_never_away_is_not_mentioned(outages, caplog):
    outages.answered()
    time.sleep(2 * QUIET)
    assert not caplog.messages


@pytest.fixture
def processes(postgresql_server, redis_server, tmp_path, tiny_model):
    """A page and a worker."""
    installation = Installation(
        tmp_path,
        database_url=postgresql_server.url,
        redis_url=redis_server.url,
        secret_key=SECRET_KEY,
        model_dir=tiny_model,
    )
    yield [installation.start("web"), installation.start("worker")]
    installation.clean()


@pytest.mark.slow
@pytest.mark.parametrize(("server", "name"), [("postgresql_server", "the database"), ("redis_server", "Redis")])
def test_an_outage_is_at_most_three_lines_of_a_process(request, processes, server, name):
    server = request.getfixturevalue(server)
    page, worker = processes
    with page.person() as person:
        worker.wait_for_log("the worker is ready")
        person.wait_until_finished(person.submit_photos())
        before = {process: len(process.log.splitlines()) for process in processes}
        server.stop()
        end, answers = time.monotonic() + MEANWHILE, set()
        while time.monotonic() < end or any(f"{name} is not available" not in process.log for process in processes):
            answers.add(person.send_photo().status_code)
            time.sleep(0.2)
        server.start()
        assert answers == ({503} if name == "the database" else {202})
        person.wait_until_finished(person.submit_photos())
    for process in processes:
        process.wait_for_log(f"{name} is available again after")
        lines = [line for line in process.log.splitlines()[before[process] :] if not line.startswith("INFO: caption ")]
        assert len(lines) <= MOST_LINES, "\n".join(lines)
