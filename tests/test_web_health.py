"""/healthz and /readyz."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bots.web.health import broker_check, create_health
from bots.web.metrics import Metrics
from db import workers
from db.photo_store import PhotoStore
from tests.support.web_client import Served
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


class HangingStore(PhotoStore):
    """On a network that is gone: no call returns."""

    def __init__(self, url: str, until: threading.Event):
        super().__init__(url)
        self.calls, self._until = 0, until

    def check(self) -> None:
        self.calls += 1
        self._until.wait()


def test_a_store_that_hangs_holds_up_nobody_and_costs_one_thread(sessions, tmp_path):
    over = threading.Event()
    store = HangingStore(str(tmp_path / "photos"), over)
    site = FastAPI()
    site.include_router(create_health(sessions, lambda: None, store, Metrics(sessions)))
    with Served(site) as served, ThreadPoolExecutor(60) as threads:
        asked = [
            threads.submit(httpx.get, f"{served.url}/readyz", timeout=60) for _ in range(60)
        ]  # more than there are threads for calls
        assert httpx.get(f"{served.url}/metrics", timeout=60).status_code == 200
        answers = [answer.result() for answer in asked]
        over.set()
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["photos"] for answer in answers} == {"does not answer (TimeoutError)"}
    assert store.calls == 1


def test_a_redis_that_hangs_is_said_not_to_answer_and_others_are_checked_meanwhile(sessions, store):
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # it accepts connections and says nothing
        app = create_app(f"redis://127.0.0.1:{hanging.getsockname()[1]}/0")
        site = FastAPI()
        site.include_router(create_health(sessions, broker_check(app), store, Metrics(sessions)))
        with Served(site) as served:
            checks = httpx.get(f"{served.url}/readyz", timeout=60).json()
    assert checks["broker"].startswith("does not answer")
    assert (checks["database"], checks["photos"]) == ("ok", "ok")


def test_checking_the_broker_leaves_no_keys_in_it(redis_server):
    with create_app(redis_server.url) as app:
        ask = broker_check(app)
        ask()
        ask()
    assert redis_server.client.keys() == []
