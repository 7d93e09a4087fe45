import json
import re
import threading

import httpx
import pytest
from hostile_files import png_bomb
from service_parts import picture
from web_client import new_photo
from web_site import *  # noqa: F403


@pytest.fixture
def ann(site):
    with site.person() as ann:
        yield ann


@pytest.fixture
def ben(site):
    with site.person() as ben:
        yield ben


def test_a_photo_is_accepted_then_captioned(ann):
    accepted = ann.send_photo()
    assert accepted.status_code == 202
    assert accepted.json()["status"] == "queued"
    caption = ann.done(accepted)
    assert caption["caption"].endswith(".")
    assert 0 < caption["confidence"] < 1
    assert caption["model"]
    assert re.fullmatch(r"[\w-]{22}", caption["id"])


def test_a_caption_says_where_the_model_looked_for_each_word(ann):
    caption = ann.done(ann.send_photo())
    attention = caption["attention"]
    assert len(attention["maps"]) == len(caption["words"]) > 0
    assert {len(map) for map in attention["maps"]} == {attention["rows"] * attention["columns"]}


def test_a_photo_whose_sentence_is_known_gets_it_at_once(ann, ben):
    photo = new_photo()
    first = ann.done(ann.send_photo(photo))
    again = ben.send_photo(photo)
    assert again.status_code == 200
    assert again.json()["caption"] == first["caption"]
    assert again.json()["id"] != first["id"]


def test_the_same_upload_twice_makes_one_caption(ann):
    photo, key = new_photo(), {"Idempotency-Key": "upload-1"}
    first, second = ann.send_photo(photo, headers=key), ann.send_photo(photo, headers=key)
    assert first.json()["id"] == second.json()["id"]
    assert len(ann.get("/api/captions").json()["captions"]) == 1


def test_the_same_key_of_another_person_is_another_upload(ann, ben):
    key = {"Idempotency-Key": "upload-1"}
    assert ann.send_photo(headers=key).json()["id"] != ben.send_photo(headers=key).json()["id"]


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 422, "empty-file"),
        (b"<html></html>", 415, "unreadable-photo"),
        (b"BM" + bytes(60), 415, "unreadable-photo"),
        (picture(1)[:200], 422, "broken-photo"),
        (bytes(2_030_000), 413, "file-too-large"),
        (bytes(9_000_000), 413, "file-too-large"),
    ],
    ids=["empty", "html", "bmp", "cut short", "a little too large", "far too large"],
)
def test_what_is_no_photo_is_refused_with_a_reason(ann, data, status, reason):
    answer = ann.post("/api/captions", files={"photo": ("photo.jpg", data)})
    assert answer.status_code == status
    assert answer.json()["reason"] == reason
    assert answer.json()["detail"].endswith(".")


def test_a_picture_with_too_many_pixels_is_refused(ann):
    answer = ann.send_photo(png_bomb(9000, 9000))
    assert (answer.status_code, answer.json()["reason"]) == (413, "too-many-pixels")


def test_a_body_without_a_length_is_cut_off_at_the_limit(ann):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        while sent < 40_000_000:
            sent += 100_000
            yield bytes(100_000)

    answer = ann.post("/api/captions", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["reason"]) == (413, "photo-too-large")


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"json": {"photo": "x"}}, 415),
        ({"content": b"\xff\xd8\xff", "headers": {"Content-Type": "image/jpeg"}}, 415),
        ({"files": {"picture": b"x"}}, 422),
        ({"files": [("photo", b"x"), ("photo", b"y")]}, 422),
        ({"data": {"photo": "x"}, "files": {"other": b"y"}}, 422),
        ({"content": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 422),
        ({"content": b"no form", "headers": {"Content-Type": "multipart/form-data"}}, 422),
    ],
    ids=["json", "bare bytes", "other field", "two photos", "text", "no parts", "no boundary"],
)
def test_a_call_without_a_photo_says_how_to_send_one(ann, call, status):
    answer = ann.post("/api/captions", **call)
    assert answer.status_code == status
    assert "multipart/form-data" in answer.json()["detail"]


def test_errors_are_said_in_the_language_of_the_browser(ann):
    answer = ann.send_photo(b"no photo", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})
    assert answer.json()["detail"].startswith("Ich konnte diese Datei nicht")


def test_the_photo_is_served_as_it_is_kept(ann):
    caption = ann.send_photo().json()
    photo = ann.get(caption["photo"])
    assert photo.headers["content-type"] == "image/jpeg"
    assert photo.content.startswith(b"\xff\xd8\xff")
    assert photo.headers["cache-control"] == "private, no-cache"
    again = ann.get(caption["photo"], headers={"If-None-Match": photo.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_last_vote_counts_and_can_be_taken_back(ann):
    path = f"/api/captions/{ann.done(ann.send_photo())['id']}"
    assert ann.put(f"{path}/vote", json={"value": 1}).json()["vote"] == 1
    assert ann.put(f"{path}/vote", json={"value": -1}).json()["vote"] == -1
    assert ann.get(path).json()["vote"] == -1
    assert ann.delete(f"{path}/vote").json()["vote"] == 0
    assert ann.get(path).json()["vote"] == 0


@pytest.mark.parametrize("value", [0, 2, "up", None])
def test_a_vote_is_one_up_or_down(ann, value):
    caption = ann.done(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/vote", json={"value": value})
    assert (answer.status_code, answer.json()["reason"]) == (422, "wrong-call")


def test_a_better_sentence_is_kept(ann):
    path = f"/api/captions/{ann.done(ann.send_photo())['id']}"
    corrected = ann.put(f"{path}/correction", json={"text": "A red\n circle."}).json()["caption"]
    assert corrected["correction"] == corrected["alt_text"] == "A red circle."
    assert ann.get(path).json()["correction"] == "A red circle."


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
def test_a_better_sentence_has_some_words_and_not_too_many(ann, text):
    caption = ann.done(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/correction", json={"text": text})
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad-text")


def test_a_body_that_holds_no_photo_may_not_be_large(ann):
    caption = ann.done(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/correction", json={"text": "x" * 100_000})
    assert answer.status_code == 413


def test_another_one_is_a_caption_of_its_own_with_another_sentence(ann):
    first = ann.done(ann.send_photo())
    another = ann.post(f"/api/captions/{first['id']}/another")
    assert another.status_code == 202
    second = ann.done(another)
    assert second["parent"] == first["id"]
    assert second["caption"] != first["caption"]


def test_a_removed_caption_is_gone_with_its_photo_and_those_after_it(ann):
    first = ann.done(ann.send_photo())
    second = ann.done(ann.post(f"/api/captions/{first['id']}/another"))
    assert ann.delete(f"/api/captions/{first['id']}").status_code == 204
    for path in (f"/api/captions/{first['id']}", f"/api/captions/{second['id']}", first["photo"]):
        assert ann.get(path).status_code == 404


def test_ones_own_captions_come_newest_first_page_by_page(ann):
    sent = [ann.send_photo().json()["id"] for _ in range(5)]
    first = [caption["id"] for caption in ann.get("/api/captions?limit=3").json()["captions"]]
    rest = [caption["id"] for caption in ann.get(f"/api/captions?limit=3&before={first[-1]}").json()["captions"]]
    assert first + rest == sent[::-1]


def events_of(person, ids):
    """[(event, data)] of a stream, read to its end."""
    with person.stream("GET", "/api/events", params={"id": ids}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    blocks = [re.findall(r"^(event|data): ?(.*)$", block, re.M) for block in text.replace("\r", "").split("\n\n")]
    return [(fields["event"], fields.get("data")) for fields in map(dict, blocks) if "event" in fields]


def test_a_stream_tells_of_each_caption_once_it_is_done_and_ends(ann):
    ids = [ann.send_photo().json()["id"] for _ in range(3)]
    *captions, last = events_of(ann, ids)
    told = [json.loads(data) for _, data in captions]
    assert sorted(caption["id"] for caption in told) == sorted(ids)
    assert {caption["status"] for caption in told} == {"done"}
    assert last[0] == "end"


def test_a_stream_that_was_opened_late_tells_too(ann):
    caption = ann.done(ann.send_photo())
    assert [event for event, _ in events_of(ann, [caption["id"]])] == ["caption", "end"]


def test_a_stream_tells_nothing_of_other_peoples_captions(ann, ben):
    caption = ann.done(ann.send_photo())
    assert [event for event, _ in events_of(ben, [caption["id"]])] == ["end"]


def test_many_people_can_wait_at_the_same_time(site):
    told = []

    def one():
        with site.person() as person:
            told.append(events_of(person, [person.send_photo().json()["id"]])[0][0])

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["caption"] * 10


CALLS = [
    ("GET", "", None),
    ("GET", "/photo", None),
    ("DELETE", "", None),
    ("PUT", "/vote", {"value": 1}),
    ("DELETE", "/vote", None),
    ("PUT", "/correction", {"text": "mine"}),
    ("POST", "/another", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_to_another_person_a_caption_does_not_exist(ann, ben, method, path, body):
    caption = ann.done(ann.send_photo())
    other = ben.request(method, f"/api/captions/{caption['id']}{path}", json=body)
    missing = ben.request(method, f"/api/captions/{'x' * 22}{path}", json=body)
    assert other.status_code == missing.status_code == 404
    assert other.json() == missing.json()
    assert ann.get(f"/api/captions/{caption['id']}").json() == caption


@pytest.mark.parametrize("id", ["1", "x" * 21, "%00" * 22, "%F0%9F%98%80" * 22, "..%2F..%2Fetc%2Fpasswd"])
def test_what_cannot_be_an_id_is_not_found(ann, id):
    assert ann.get(f"/api/captions/{id}").status_code == 404


def test_the_list_of_another_person_is_empty(ann, ben):
    caption = ann.send_photo().json()
    assert ben.get("/api/captions").json() == {"captions": []}
    assert ben.get(f"/api/captions?before={caption['id']}").status_code in (200, 404)


def test_forgetting_removes_ones_own_and_nothing_of_others(ann, ben):
    photo = new_photo()
    mine, other = ann.done(ann.send_photo(photo)), ben.done(ben.send_photo(photo))
    ann.put(f"/api/captions/{mine['id']}/vote", json={"value": 1})
    gone = ann.delete("/api/me")
    assert (gone.json()["captions"], gone.json()["votes"]) == (1, 1)
    assert ann.get("/api/captions").json() == {"captions": []}
    assert ben.get(other["photo"]).status_code == 200
    assert ben.get("/api/captions").json()["captions"][0]["id"] == other["id"]


def test_forgetting_takes_the_cookie_too(ann):
    ann.send_photo()
    assert ann.cookies
    ann.delete("/api/me")
    assert not ann.cookies


def test_consent_is_asked_for_once_and_kept(ann):
    path = f"/api/captions/{ann.done(ann.send_photo())['id']}"
    assert ann.get("/api/me").json()["consent"] is None
    assert ann.put(f"{path}/vote", json={"value": 1}).json()["ask_consent"] is True
    assert ann.put(f"{path}/vote", json={"value": -1}).json()["ask_consent"] is False
    assert ann.put("/api/me/consent", json={"agreed": True}).json()["consent"] is True
    assert ann.put("/api/me/consent", json={"agreed": False}).json()["consent"] is False
    assert ann.get("/api/me").json()["consent"] is False


def test_without_the_cookie_one_is_somebody_else(site, ann):
    caption = ann.send_photo().json()
    assert httpx.get(f"{site.url}/api/captions/{caption['id']}").status_code == 404
