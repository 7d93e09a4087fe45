"""One list on several devices: who joins by a link, who does not, and what each browser sees before and afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db import devices
from db.tables import Device, now

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def phone(new_client):
    """Another browser."""
    return new_client()


def new_secret(visitor):
    answer = visitor.post("/api/me/link")
    assert answer.status_code == 201, answer.text
    path, _, secret = answer.json()["path"].partition("#")
    assert path == "/join"
    return secret


def join(visitor, code):
    return visitor.post("/join", data={"code": code}, follow_redirects=False)


def ids(visitor):
    return [caption["id"] for caption in visitor.get("/api/captions").json()["captions"]]


def joined(visitor):
    return visitor.get("/api/me/devices").json()["devices"]


def test_a_browser_that_joins_shows_the_list_and_keeps_its_own_apart(client, phone):
    theirs, own = client.send_photo().json()["id"], phone.send_photo().json()["id"]
    answer = join(phone, f" https://example.com/join#{new_secret(client)} ")  # pasted as a whole
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert ids(phone) == [theirs]
    sent = phone.send_photo().json()["id"]
    assert ids(client) == ids(phone) == [sent, theirs]
    assert (phone.get("/api/me").json()["joined"], client.get("/api/me").json()["joined"]) == (True, False)

    (device,) = joined(phone)
    assert device["this"]
    assert [each["this"] for each in joined(client)] == [False]
    assert phone.delete(f"/api/me/devices/{device['id']}").status_code == 204
    assert ids(phone) == [own]
    assert ids(client) == [sent, theirs]
    assert joined(client) == []


def test_another_site_cannot_make_a_browser_join(client, phone):
    """Otherwise it could have a visitor's photos sent into the list of whoever made the link."""
    data = {"code": new_secret(client)}
    answer = phone.post("/join", data=data, headers={"Origin": "https://elsewhere.example"}, follow_redirects=False)
    assert answer.status_code == 403
    assert phone.get("/api/me").json()["joined"] is False
    assert join(phone, data["code"]).status_code == 303  # the link was not used up


def test_who_is_removed_has_their_own_list_from_then_on(client, phone):
    own = phone.send_photo().json()["id"]
    join(phone, new_secret(client))
    assert ids(phone) == []
    assert client.delete(f"/api/me/devices/{joined(client)[0]['id']}").status_code == 204
    assert ids(phone) == [own]
    assert phone.get("/api/me").json()["joined"] is False


def test_opening_a_link_joins_nobody_and_the_page_says_what_joining_means(client, phone):
    secret = new_secret(client)
    page = phone.get("/join", headers={"Accept-Language": "de"})
    assert "sieht jedes Foto" in page.text
    assert secret not in page.text
    assert [each["joined_at"] for each in joined(client)] == [None]
    foreign = phone.post("/join", data={"code": secret}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert [each["joined_at"] for each in joined(client)] == [None]


def test_a_link_works_once_and_not_after_it_expired_was_replaced_or_removed(client, phone, new_client, sessions):
    used = new_secret(client)
    assert join(phone, used).status_code == 303
    replaced, removed = new_secret(client), new_secret(client)
    (link,) = [each for each in joined(client) if each["joined_at"] is None]
    client.delete(f"/api/me/devices/{link['id']}")
    expired = new_secret(client)
    with sessions.begin() as session:
        session.execute(update(Device).values(created_at=now() - devices.LINK_LASTS - timedelta(seconds=1)))
    for secret in (used, replaced, removed, expired, "", "x" * 22, "\x00", "ü"):
        other = new_client()
        answer = join(other, secret)
        assert answer.status_code == 404, secret
        assert "This link no longer works" in answer.text
        assert other.get("/api/me").json()["joined"] is False
    assert phone.get("/api/me").json()["joined"] is True  # a browser that has joined does not expire


def test_secrets_are_stored_as_hashes(client, phone, sessions, tmp_path):
    secret = new_secret(client)
    join(phone, secret)
    token = phone.cookies["captionbot"].partition("~")[2].partition(".")[0]
    assert len(token) == 22
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert secret.encode() not in stored
    assert token.encode() not in stored


def test_a_browser_cannot_join_the_list_that_it_shows_already(client, sessions):
    assert join(client, new_secret(client)).status_code == 303
    assert client.get("/api/me").json()["joined"] is False
    with sessions() as session:
        assert session.scalars(select(Device)).one().joined_at is None


def test_nobody_removes_the_devices_of_others(client, phone, new_client):
    join(phone, new_secret(client))
    id = joined(client)[0]["id"]
    assert new_client().delete(f"/api/me/devices/{id}").status_code == 404
    assert len(joined(client)) == 1


def test_forgetting_deletes_the_devices_and_the_other_browsers_own_lists_stay(client, phone, sessions):
    own = phone.send_photo().json()["id"]
    join(phone, new_secret(client))
    client.send_photo()
    assert phone.delete("/api/me").json()["captions"] == 1
    assert ids(phone) == [own]
    assert ids(client) == []
    with sessions() as session:
        assert session.scalars(select(Device)).all() == []


def test_so_many_devices_join_and_no_more(client, new_client, monkeypatch):
    monkeypatch.setattr(devices, "MAX_DEVICES", 1)
    join(new_client(), new_secret(client))
    answer = client.post("/api/me/link")
    assert answer.status_code == 400
    assert "At most 1 devices" in answer.json()["detail"]


def test_guessing_is_slowed_down(client):
    statuses = [join(client, "x" * 22).status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
