from pydantic import SecretStr
from redis_server import *  # noqa: F403
from web_client import *  # noqa: F403

from bots.web_health import broker_of
from db import workers
from worker.app import create_app


def test_a_process_that_answers_is_alive(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_when_a_worker_has_loaded_a_model(client, sessions):
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", [])
    waiting = client.get("/readyz")
    assert waiting.status_code == 503
    assert waiting.json() == {
        "database": "ok",
        "broker": "ok",
        "model": "no worker that has loaded one was seen lately",
    }
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", ["v1"])
    assert client.get("/readyz").status_code == 200


def test_it_is_not_ready_without_its_database(client, engine, tmp_path):
    engine.dispose()
    (tmp_path / "captionbot.db").write_bytes(b"no database any more" * 1000)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"].startswith("does not answer")
    assert client.get("/healthz").status_code == 200


def test_it_is_not_ready_without_its_broker_and_keeps_passwords_to_itself(new_client, redis_server):
    broker = f"redis://:secret@127.0.0.1:{redis_server.port}/0"
    redis_server.stop()
    answer = new_client(broker_url=broker, secret_key=SecretStr("a key for tests")).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["broker"].startswith("does not answer")
    assert "secret" not in answer.text


def test_a_broker_that_answers_is_asked_without_harm(redis_server):
    ask = broker_of(create_app(redis_server.url))
    ask()
    ask()
    assert redis_server.client.keys() == []
