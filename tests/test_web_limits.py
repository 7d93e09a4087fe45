"""What the site answers when it is too much."""

from web_client import *  # noqa: F403

from bots.limits import Limits
from bots.service import CaptionService
from bots.web_addresses import network
from db.photo_store import PhotoStore, StoreFull


def test_too_many_photos_of_one_person_are_refused_until_a_time(new_client, new_service):
    client = new_client(new_service(rates="2/hour"))
    assert [client.send_photo().status_code for _ in range(3)] == [202, 202, 429]
    refusal = client.send_photo()
    assert refusal.json()["reason"] == "too-many-requests"
    assert "again" in refusal.json()["detail"]
    assert 3500 < int(refusal.headers["retry-after"]) <= 3600


def test_another_person_has_a_rate_of_their_own(new_client, new_service):
    client = new_client(new_service(rates="1/hour"))
    client.send_photo()
    client.cookies.clear()
    assert client.send_photo().status_code == 202


def test_who_throws_the_cookie_away_again_and_again_meets_the_rate_of_the_address(new_client):
    client = new_client(rate_limit="1/hour")
    answers = []
    for _ in range(11):
        client.cookies.clear()
        answers.append(client.send_photo().status_code)
    assert answers == [202] * 10 + [429]


def test_a_full_queue_is_said_with_when_to_come_back(new_client, new_service):
    client = new_client(new_service(queue_limit=2))
    assert [client.send_photo().status_code for _ in range(3)] == [202, 202, 503]
    refusal = client.send_photo()
    assert refusal.json()["reason"] == "busy"
    assert int(refusal.headers["retry-after"]) >= 1


class FullStore(PhotoStore):
    """A store whose disk is full."""

    def save(self, data: bytes, sha256: str) -> None:
        raise StoreFull


def test_a_full_disk_is_said_and_the_site_lives(new_client, sessions, tmp_path, queued, wakes):
    full = CaptionService(
        sessions, FullStore(str(tmp_path / "full")), queued.append, limits=Limits("9/hour"), wakes=wakes
    )
    client = new_client(full)
    refusal = client.send_photo()
    assert (refusal.status_code, refusal.json()["reason"]) == (503, "storage-full")
    assert int(refusal.headers["retry-after"]) > 1
    assert client.get("/api/captions").json() == {"captions": []}


def test_a_customer_of_a_provider_is_one_address():
    assert network("192.0.2.7") == "192.0.2.7"
    assert network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:9::9") != network("2001:db8:1:3::4")
    assert network("testclient") == "testclient"
