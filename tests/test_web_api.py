"""The JSON API: photos that are sent, refused and served, and the stream of their captions."""

import json
import re
import threading

import pytest

from tests.support.hostile_files import png_bomb
from tests.support.photo_zoo import ZOO
from tests.support.service_parts import picture
from tests.support.web_client import new_photo


def test_a_photo_is_accepted_and_then_captioned(ann):
    accepted = ann.send_photo()
    assert accepted.status_code == 202
    assert accepted.json()["status"] in ("queued", "running")
    caption = ann.finished_caption(accepted)
    assert caption["caption"].endswith(".")
    assert 0 < caption["confidence"] < 1
    assert caption["model"]
    assert re.fullmatch(r"[\w-]{22}", caption["id"])


def test_a_caption_has_an_attention_map_for_each_word(ann):
    caption = ann.finished_caption(ann.send_photo())
    attention = caption["attention"]
    assert len(attention["maps"]) == len(caption["words"]) > 0
    assert {len(map) for map in attention["maps"]} == {attention["rows"] * attention["columns"]}


def test_a_photo_that_was_captioned_before_gets_its_sentence_at_once(ann, ben):
    photo = new_photo()
    first = ann.finished_caption(ann.send_photo(photo))
    again = ben.send_photo(photo)
    assert again.status_code == 200
    assert again.json()["caption"] == first["caption"]
    assert again.json()["id"] != first["id"]


def test_two_uploads_with_the_same_idempotency_key_make_one_caption(ann):
    photo, key = new_photo(), {"Idempotency-Key": "upload-1"}
    first, second = ann.send_photo(photo, headers=key), ann.send_photo(photo, headers=key)
    assert first.json()["id"] == second.json()["id"]
    assert len(ann.get("/api/captions").json()["captions"]) == 1


def test_the_same_idempotency_key_of_another_person_is_another_upload(ann, ben):
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
def test_a_file_that_is_no_photo_is_refused_with_a_reason(ann, data, status, reason):
    answer = ann.post("/api/captions", files={"photo": ("photo.jpg", data)})
    assert answer.status_code == status
    assert answer.json()["reason"] == reason
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        *["jpeg and a video", "jpeg and 300 scans", "jpeg without its last bytes", "80% of a png"],
        *["png with a text of 3 MB", "png with a text with a wrong checksum", "animated webp with a bad frame 3"],
    ],
)
def test_a_photo_with_damage_or_data_beside_its_pixels_is_captioned(ann, name):
    caption = ann.finished_caption(ann.send_photo(ZOO[name].make()))
    assert caption["caption"].endswith(".")


def test_a_picture_with_too_many_pixels_is_refused(ann):
    answer = ann.send_photo(png_bomb(9000, 9000))
    assert (answer.status_code, answer.json()["reason"]) == (413, "too-many-pixels")


def test_a_body_without_content_length_is_refused_at_the_limit(ann):
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
def test_the_error_for_a_request_without_a_photo_explains_how_to_send_one(ann, call, status):
    answer = ann.post("/api/captions", **call)
    assert answer.status_code == status
    assert "multipart/form-data" in answer.json()["detail"]


def test_errors_are_in_the_language_of_the_browser(ann):
    answer = ann.send_photo(b"no photo", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})
    assert answer.json()["detail"].startswith("Diese Datei kann ich nicht lesen.")


def test_the_stored_photo_is_served(ann):
    caption = ann.send_photo().json()
    photo = ann.get(caption["photo"])
    assert photo.headers["content-type"] == "image/jpeg"
    assert photo.content.startswith(b"\xff\xd8\xff")
    assert photo.headers["cache-control"] == "private, no-cache"
    again = ann.get(caption["photo"], headers={"If-None-Match": photo.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def events_of(person, ids):
    """[(event, data)] of a stream, read to its end."""
    with person.stream("GET", "/api/events", params={"id": ids}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    blocks = [re.findall(r"^(event|data): ?(.*)$", block, re.M) for block in text.replace("\r", "").split("\n\n")]
    return [(fields["event"], fields.get("data")) for fields in map(dict, blocks) if "event" in fields]


def test_a_stream_sends_each_finished_caption_once_and_ends(ann):
    ids = [ann.send_photo().json()["id"] for _ in range(3)]
    *captions, last = events_of(ann, ids)
    received = [json.loads(data) for _, data in captions]
    assert sorted(caption["id"] for caption in received) == sorted(ids)
    assert {caption["status"] for caption in received} == {"done"}
    assert last[0] == "end"


def test_a_stream_opened_after_the_caption_was_finished_sends_it(ann):
    caption = ann.finished_caption(ann.send_photo())
    assert [event for event, _ in events_of(ann, [caption["id"]])] == ["caption", "end"]


def test_a_stream_does_not_send_captions_of_other_people(ann, ben):
    caption = ann.finished_caption(ann.send_photo())
    assert [event for event, _ in events_of(ben, [caption["id"]])] == ["end"]


def test_many_people_can_have_streams_at_the_same_time(site):
    received = []

    def one():
        with site.person() as person:
            received.append(events_of(person, [person.send_photo().json()["id"]])[0][0])

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert received == ["caption"] * 10
