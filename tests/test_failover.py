"""PostgreSQL fails over: for a while it can only be read, then another server takes the writes.

What was confirmed is there afterwards, once; what was not confirmed was refused with a time to come back.
"""

import logging
import secrets
import threading
import time
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import select

from bots.service.base import Backend
from bots.service.outages import is_outage
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from bots.web.app import create_site
from db.caption_requests import CaptionRequest
from db.engine import create_engine, sessions
from db.tables import State, Vote
from settings import Settings
from tests.support.processes import until
from tests.support.service_parts import picture
from tests.support.web_client import Served, Visitor
from tests.support.worker_parts import rows_of
from worker.job_queue import create_app, create_notifier, send
from worker.worker import Worker

CLIENTS, BEFORE, READ_ONLY = 3, 4, 1.5  # people; photos until it begins; seconds


class Sender(threading.Thread):
    """Sends photos and votes for their captions, until it is stopped. What is refused is sent again."""

    def __init__(self, service, number):
        super().__init__(daemon=True)
        self.service, self.person = service, f"web:{number}"
        self.photos, self.votes, self.refused, self.errors = [], [], 0, []
        self.stopped = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopped.is_set():
                source, photo = secrets.token_hex(8), picture(secrets.randbelow(2**32))
                request = CaptionRequest(self.person, "web", source=source)
                self.photos.append(self.until_confirmed(self.service.submissions.submit, photo, request))
                self.vote(self.photos[-1])
        except Exception as error:
            self.errors.append(error)

    def vote(self, photo):
        read = partial(self.service.captions.get, photo.id, person=self.person)
        until(lambda: self.until_confirmed(read).state is State.DONE)
        self.until_confirmed(self.service.feedback.vote, photo.id, person=self.person, value=1)
        self.votes.append(photo.row)

    def until_confirmed(self, call, *args, **kwargs):
        while True:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                if not is_outage(error):
                    raise
                self.refused += 1
                time.sleep(0.1)


@pytest.fixture
def running(store, tiny_model, tmp_path):
    """running(url): a service and a worker on this database."""
    ends = []

    def run(url):
        engine, queue, notifier = create_engine(url), create_app(None), create_notifier(None)
        backend = Backend(engine, store, partial(send, queue), RateLimits("10000/minute"), notifier=notifier)
        worker = Worker(queue, sessions(engine), store, notifier, model_dir=tiny_model, max_batch=4)
        worker.start()
        ends.extend([engine.dispose, queue.outbox.close, worker.stop])
        return CaptionService(backend), worker

    yield run
    for end in reversed(ends):
        end()


@pytest.mark.parametrize("servers", ["one", "two"])
def test_what_was_confirmed_outlives_a_failover(request, servers, running, tmp_path, caplog):
    if servers == "two":  # the primary crashes, and its standby is promoted
        pair = request.getfixturevalue("pair")
        url, fail, promote = pair.url, pair.fail, pair.promote
    else:  # the address leads to a standby for a while
        server = request.getfixturevalue("postgresql_server")
        url, fail, promote = server.url, server.demote, server.promote
    service, worker = running(url)
    senders = [Sender(service, number) for number in range(CLIENTS)]
    until(lambda: all(len(sender.votes) >= BEFORE for sender in senders))
    site = create_site(service, Settings(_env_file=None, data_dir=tmp_path, database_url=url))
    with Served(site) as served, Visitor(served.url) as visitor:
        sent = visitor.finished_caption(visitor.send_photo())
        fail()
        answers = []
        end = time.monotonic() + READ_ONLY
        while time.monotonic() < end:
            answers += [visitor.send_photo(), visitor.put(f"/api/captions/{sent['id']}/vote", json={"value": 1})]
        promote()
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 and answer.json()["detail"] for answer in answers)
        until(lambda: visitor.send_photo().status_code == 202)
    confirmed = [len(sender.votes) for sender in senders]
    until(lambda: all(len(sender.votes) >= count + 2 for sender, count in zip(senders, confirmed, strict=True)))
    for sender in senders:
        sender.stopped.set()
        sender.join(30)
    assert [error for sender in senders for error in sender.errors] == []
    assert all(sender.refused for sender in senders)
    assert worker.is_alive()
    read = sessions(service.backend.engine)
    until(lambda: {row.state for row in rows_of(read)} == {State.DONE})
    rows = {row.id: row for row in rows_of(read)}
    assert {row.attempts for row in rows.values()} == {0}
    theirs = Counter(row.source for row in rows.values() if row.source)
    assert set(theirs.values()) == {1}
    assert len(theirs) == sum(len(sender.photos) for sender in senders)
    assert {photo.row for sender in senders for photo in sender.photos} <= rows.keys()
    with read() as session:
        voted = Counter(session.scalars(select(Vote.caption_id)))
    assert voted == Counter(row for sender in senders for row in sender.votes)
    tracebacks = [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
    assert not tracebacks, caplog.text
