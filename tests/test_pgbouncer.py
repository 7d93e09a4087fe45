"""PostgreSQL behind pgbouncer in transaction mode: photos are captioned and votes counted, without any setting."""

import logging
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
from sqlalchemy import func, select, text

from bots.service.base import Backend
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from db.caption_requests import CaptionRequest
from db.engine import create_engine
from db.schema import migrate
from db.tables import State, Vote
from tests.support.database import empty
from tests.support.processes import until
from tests.support.service_parts import picture
from tests.support.worker_parts import states
from worker.job_queue import create_app, send
from worker.worker import Worker

CLIENTS, PHOTOS = 8, 40


@pytest.fixture
def engine(pgbouncer, postgresql_url):
    engine = create_engine(pgbouncer.url)
    yield engine
    engine.dispose()
    empty(postgresql_url)


def test_this_pooler_does_not_keep_prepared_statements(pgbouncer):
    def ask_often(_):
        with psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=0) as connection:
            for number in range(20):
                connection.execute("SELECT %s::int", [number])

    with ThreadPoolExecutor(CLIENTS) as threads, pytest.raises(psycopg.Error, match="prepared statement"):
        list(threads.map(ask_often, range(CLIENTS)))


def test_statements_are_prepared_only_without_a_pooler(engine, postgresql_url):
    direct = create_engine(postgresql_url)
    with engine.connect() as behind, direct.connect() as before:
        assert behind.connection.dbapi_connection.prepare_threshold is None
        assert before.connection.dbapi_connection.prepare_threshold
        for _ in range(10):
            before.execute(text("SELECT 1"))
        assert before.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() > 0
    direct.dispose()


def test_the_tables_are_migrated_through_the_pooler(engine):
    migrate(engine)


def test_photos_are_captioned_and_votes_counted(engine, sessions, store, notifier, tiny_model, caplog):
    queue = create_app(None)
    service = CaptionService(Backend(engine, store, partial(send, queue), RateLimits("1000/minute"), notifier=notifier))

    def send_and_vote(number):
        person = f"web:{number % CLIENTS}"
        submitted = service.submissions.submit(picture(secrets.randbelow(2**32)), CaptionRequest(person, "web"))
        until(lambda: service.captions.get(submitted.id, person=person).state == State.DONE)
        service.feedback.vote(submitted.id, person=person, value=1)

    worker = Worker(queue, sessions, store, notifier, model_dir=tiny_model, max_batch=4)
    worker.start()
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(send_and_vote, range(PHOTOS)))
    assert worker.stop()
    queue.outbox.close()
    warned = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert [message for message in warned if "quantization" not in message] == []  # no batch failed and was repeated
    assert states(sessions) == {State.DONE: PHOTOS}
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Vote)) == PHOTOS
