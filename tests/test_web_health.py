"""/healthz and /readyz."""

import pytest
from pydantic import SecretStr

from bots.web.health import broker_check
from db import workers
from worker.job_queue import create_app

pytestmark = pytest.mark.database("sqlite")


def test_healthz_answers_ok(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_site_is_ready_when_a_worker_has_loaded_a_model(client, sessions):
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", [])
    waiting = client.get("/readyz")
    assert waiting.status_code == 503
    assert waiting.json() == {
        "database": "ok",
        "photos": "ok",
        "broker": "ok",
        "model": "no worker that has loaded one was seen lately",
    }
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", ["v1"])
    assert client.get("/readyz").status_code == 200


def test_the_site_is_not_ready_without_its_database(client, engine, tmp_path):
    engine.dispose()
    (tmp_path / "test.db").write_bytes(b"no database any more" * 1000)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"].startswith("does not answer")
    assert client.get("/healthz").status_code == 200


def test_the_site_is_not_ready_without_its_broker_and_shows_no_password(new_client, redis_server):
    broker = f"redis://:secret@127.0.0.1:{redis_server.port}/0"
    redis_server.stop()
    answer = new_client(broker_url=broker, secret_key=SecretStr("a key for tests")).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["broker"].startswith("does not answer")
    assert "secret" not in answer.text


def test_checking_the_broker_leaves_no_keys_in_it(redis_server):
    with create_app(redis_server.url) as app:
        ask = broker_check(app)
        ask()
        ask()
    assert redis_server.client.keys() == []
