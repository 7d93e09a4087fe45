"""Keys of the API: programs send one instead of a cookie, and get the caption in the answer to the upload."""

import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import httpx
import pytest

from bots.log_redaction import API_KEY, redact_logs
from bots.service.api_keys import NameTaken
from db.tables import ApiKey, Person, now
from tests.support.processes import PATIENCE, until
from tests.support.web_client import Visitor, new_photo

CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def new_program(client, service):
    """new_program("camera"): a client with a new key."""

    with ExitStack() as programs:

        def make(name: str = "camera") -> Visitor:
            program = programs.enter_context(Visitor(str(client.base_url)))
            program.headers["Authorization"] = f"Bearer {service.api_keys.create(name)}"
            return program

        yield make


@pytest.mark.database("sqlite", "postgresql")
def test_a_key_is_listed_and_its_secret_is_not_stored(service, sessions):
    secret = service.api_keys.create("camera")
    (key,) = service.api_keys.all()
    assert (key.name, key.last_used_at) == ("camera", None)
    assert API_KEY.fullmatch(secret)
    with sessions() as session:
        stored = session.query(ApiKey).one()
        assert secret not in map(str, vars(stored).values())
    assert service.api_keys.person_of(secret) == key.person
    assert service.api_keys.all()[0].last_used_at is not None


@pytest.mark.database("sqlite", "postgresql")
def test_names_are_unique_and_plain(service):
    service.api_keys.create("camera")
    with pytest.raises(NameTaken):
        service.api_keys.create("camera")
    for name in ("", "two words", "x" * 101, "a\nb"):
        with pytest.raises(ValueError, match="letters"):
            service.api_keys.create(name)
    assert len(service.api_keys.all()) == 1


def test_a_use_is_noted_once_a_minute(service, sessions):
    secret = service.api_keys.create("camera")
    for age, noted in ((30, False), (90, True)):
        before = now() - timedelta(seconds=age)
        with sessions.begin() as session:
            session.query(ApiKey).one().last_used_at = before
        service.api_keys.person_of(secret)
        assert (service.api_keys.all()[0].last_used_at != before) is noted


def test_a_key_sees_only_what_it_sent_itself(client, new_program):
    program, other = new_program("camera"), new_program("other")
    sent = program.send_photo()
    assert "set-cookie" not in sent.headers
    assert sent.headers["location"] == f"/api/captions/{sent.json()['id']}"
    assert program.get(sent.headers["location"]).status_code == 200
    assert [one["id"] for one in program.get("/api/captions").json()["captions"]] == [sent.json()["id"]]
    for stranger in (other, client):
        assert stranger.get(sent.headers["location"]).status_code == 404
        assert stranger.get("/api/captions").json() == {"captions": []}


def test_each_key_has_a_rate_limit_of_its_own(new_client, new_service):
    service = new_service(rates="2/hour")
    site = new_client(service)
    for name in ("camera", "other"):
        header = {"Authorization": f"Bearer {service.api_keys.create(name)}"}
        statuses = [site.send_photo(headers=header).status_code for _ in range(3)]
        assert statuses == [202, 202, 429]


def test_a_wrong_key_is_refused_with_a_challenge_whatever_cookie_comes_with_it(client):
    client.get("/")  # sets the cookie
    for key in ("nonsense", "captionbot_" + "x" * 43, "\xff"):
        answer = client.get("/api/captions", headers={"Authorization": b"Bearer " + key.encode("latin-1")})
        assert (answer.status_code, answer.json()["reason"]) == (401, "wrong-key")
        assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_an_address_may_try_few_wrong_keys_and_right_ones_still_work(client, new_program):
    program, wrong = new_program(), {"Authorization": "Bearer wrong"}
    statuses = [client.get("/api/me", headers=wrong).status_code for _ in range(25)]
    assert statuses == [401] * 20 + [429] * 5
    assert program.get("/api/me").status_code == 200


def test_a_revoked_key_is_refused_at_once(service, new_program):
    program = new_program()
    assert program.get("/api/me").status_code == 200
    assert service.api_keys.revoke("camera") is not None
    assert program.get("/api/me").status_code == 401
    assert service.api_keys.revoke("camera") is None


def test_a_forgotten_key_goes_on_as_a_new_person(service, sessions, new_program):
    program = new_program()
    program.send_photo()
    assert program.delete("/api/me").json()["captions"] == 1
    assert program.get("/api/captions").json() == {"captions": []}
    with sessions() as session:
        assert session.query(Person).filter(Person.key.startswith("key:")).count() == 0
    assert program.send_photo().status_code == 202


def test_the_origin_matters_to_cookies_and_not_to_keys(client, new_program):
    program = new_program()
    assert program.send_photo(headers=CROSS_SITE).status_code == 202
    assert client.send_photo(headers=CROSS_SITE).status_code == 403
    client.get("/")
    wrong = {"Authorization": "Bearer wrong"} | CROSS_SITE
    assert client.send_photo(headers=wrong).status_code == 401
    for others in ({"Authorization": "Basic YTpi"}, {"Authorization": "Digest x"}):  # of a proxy
        assert client.send_photo(headers=others | CROSS_SITE).status_code == 403
        assert client.send_photo(headers=others).status_code == 202


@pytest.fixture
def waiting_upload(new_program, queued):
    """waiting_upload(finish): the answer to an upload that waits, whose row `finish` finishes meanwhile."""

    def upload(finish: Callable[[int], None]) -> httpx.Response:
        photo = {"photo": ("photo.png", new_photo())}
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(new_program().post, "/api/captions?wait=60", files=photo, timeout=PATIENCE)
            until(lambda: bool(queued))
            finish(queued[0])
            return answer.result(PATIENCE)

    return upload


def test_an_upload_that_waits_is_answered_with_the_caption(waiting_upload, worker):
    answer = waiting_upload(lambda row: worker.caption(row, text="a dog runs"))
    assert (answer.status_code, answer.json()["caption"]) == (200, "a dog runs")


def test_an_upload_that_waits_is_answered_with_the_failure(waiting_upload, worker):
    answer = waiting_upload(worker.fail)
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert answer.json()["error"]


def test_an_upload_that_takes_longer_is_answered_with_where_the_caption_will_be(new_program, sessions, queued):
    program = new_program()
    start = time.monotonic()
    answer = program.post("/api/captions?wait=0.3", files={"photo": ("photo.png", new_photo())})
    assert time.monotonic() - start >= 0.3
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert program.get(answer.headers["location"]).json()["id"] == answer.json()["id"]


@pytest.mark.parametrize("wait", ["61", "-1", "nan", "x"])
def test_a_wait_without_bounds_is_refused(new_program, wait):
    answer = new_program().post(f"/api/captions?wait={wait}", files={"photo": ("photo.png", new_photo())})
    assert (answer.status_code, answer.json()["reason"]) == (422, "wrong-call")


def test_no_key_is_logged(caplog, service, client):
    redact_logs()
    secret = service.api_keys.create("camera")
    for shown in (secret, "captionbot_" + "y" * 43):
        client.get("/api/me", headers={"Authorization": f"Bearer {shown}"})
        httpx.get(str(client.base_url) + f"/api/captions?before={shown}")  # by mistake
        logging.getLogger("test").error("a request with %s", shown)
    assert secret not in caplog.text
    assert not re.search(API_KEY, caplog.text)
    assert "a request with ****" in caplog.text
