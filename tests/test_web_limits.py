"""Responses of the site to too many photos, a full queue and a full disk."""

import pytest

from bots.http.connections import network
from bots.service.base import Backend
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from db.photo_store import PhotoStore
from db.store_state import StoreFull

pytestmark = pytest.mark.database("sqlite")


def test_too_many_photos_of_one_person_are_refused_with_a_time_to_wait(new_client, new_service):
    client = new_client(new_service(rates="2/hour"))
    assert [client.send_photo().status_code for _ in range(3)] == [202, 202, 429]
    refusal = client.send_photo()
    assert refusal.json()["reason"] == "too-many-requests"
    assert "again" in refusal.json()["detail"]
    assert 3500 < int(refusal.headers["retry-after"]) <= 3600


def test_each_person_has_a_rate_limit(new_client, new_service):
    client = new_client(new_service(rates="1/hour"))
    client.send_photo()
    client.cookies.clear()
    assert client.send_photo().status_code == 202


def test_deleting_the_cookie_does_not_evade_the_limit_of_the_address(new_client):
    client = new_client(rate_limit="1/hour")
    answers = []
    for _ in range(11):
        client.cookies.clear()
        answers.append(client.send_photo().status_code)
    assert answers == [202] * 10 + [429]


def test_a_full_queue_is_answered_with_a_time_to_wait(new_client, new_service):
    client = new_client(new_service(queue_limit=2))
    assert [client.send_photo().status_code for _ in range(3)] == [202, 202, 503]
    refusal = client.send_photo()
    assert refusal.json()["reason"] == "busy"
    assert int(refusal.headers["retry-after"]) >= 1


class FullStore(PhotoStore):
    """A store whose disk is full."""

    def save(self, data: bytes, sha256: str) -> None:
        raise StoreFull


def test_a_full_disk_is_reported_and_the_site_still_works(new_client, engine, tmp_path, queued, notifier):
    store = FullStore(str(tmp_path / "full"))
    full = CaptionService(Backend(engine, store, queued.append, RateLimits("9/hour"), notifier=notifier))
    client = new_client(full)
    refusal = client.send_photo()
    assert (refusal.status_code, refusal.json()["reason"]) == (503, "storage-full")
    assert int(refusal.headers["retry-after"]) > 1
    assert client.get("/api/captions").json() == {"captions": []}


def test_an_ipv6_network_counts_as_one_address():
    assert network("192.0.2.7") == "192.0.2.7"
    assert network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:9::9") != network("2001:db8:1:3::4")
    assert network("testclient") == "testclient"
