"""The JSON API: votes, corrections, other sentences, the list, and what other people's are kept from."""

import httpx
import pytest

from tests.support.web_client import new_photo


def test_the_last_vote_counts_and_can_be_taken_back(ann):
    path = f"/api/captions/{ann.finished_caption(ann.send_photo())['id']}"
    assert ann.put(f"{path}/vote", json={"value": 1}).json()["vote"] == 1
    assert ann.put(f"{path}/vote", json={"value": -1}).json()["vote"] == -1
    assert ann.get(path).json()["vote"] == -1
    assert ann.delete(f"{path}/vote").json()["vote"] == 0
    assert ann.get(path).json()["vote"] == 0


@pytest.mark.parametrize("value", [0, 2, "up", None])
def test_a_vote_must_be_1_or_minus_1(ann, value):
    caption = ann.finished_caption(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/vote", json={"value": value})
    assert (answer.status_code, answer.json()["reason"]) == (422, "wrong-call")


def test_a_correction_is_stored(ann):
    path = f"/api/captions/{ann.finished_caption(ann.send_photo())['id']}"
    corrected = ann.put(f"{path}/correction", json={"text": "A red\n circle."}).json()["caption"]
    assert corrected["correction"] == corrected["alt_text"] == "A red circle."
    assert ann.get(path).json()["correction"] == "A red circle."


def test_what_a_person_wrote_is_the_alt_text_of_every_caption_of_the_photo_until_they_change_it(ann):
    photo = new_photo()
    first = ann.finished_caption(ann.send_photo(photo))
    ann.put(f"/api/captions/{first['id']}/correction", json={"text": "Zwei Hunde"})
    another = ann.finished_caption(ann.post(f"/api/captions/{first['id']}/another"))
    assert another["caption"] not in ("Zwei Hunde", first["caption"])
    assert (another["correction"], another["alt_text"]) == ("Zwei Hunde", "Zwei Hunde")
    again = ann.finished_caption(ann.send_photo(photo))  # from memory, although the filter finds it no description
    assert (again["caption"], again["alt_text"], again["language"]) == ("Zwei Hunde.", "Zwei Hunde", None)
    ann.put(f"/api/captions/{another['id']}/correction", json={"text": "Drei Hunde"})
    assert {caption["alt_text"] for caption in ann.get("/api/captions").json()["captions"]} == {"Drei Hunde"}


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
def test_a_correction_may_be_neither_empty_nor_too_long(ann, text):
    caption = ann.finished_caption(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/correction", json={"text": text})
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad-text")


def test_the_body_of_a_request_without_a_photo_may_not_be_large(ann):
    caption = ann.finished_caption(ann.send_photo())
    answer = ann.put(f"/api/captions/{caption['id']}/correction", json={"text": "x" * 100_000})
    assert answer.status_code == 413


def test_asking_for_another_sentence_makes_a_new_caption(ann):
    first = ann.finished_caption(ann.send_photo())
    another = ann.post(f"/api/captions/{first['id']}/another")
    assert another.status_code == 202
    second = ann.finished_caption(another)
    assert second["parent"] == first["id"]
    assert second["caption"] != first["caption"]


def test_removing_a_caption_removes_its_photo_and_later_sentences(ann):
    first = ann.finished_caption(ann.send_photo())
    second = ann.finished_caption(ann.post(f"/api/captions/{first['id']}/another"))
    assert ann.delete(f"/api/captions/{first['id']}").status_code == 204
    for path in (f"/api/captions/{first['id']}", f"/api/captions/{second['id']}", first["photo"]):
        assert ann.get(path).status_code == 404


def test_captions_are_listed_newest_first_in_pages(ann):
    sent = [ann.send_photo().json()["id"] for _ in range(5)]
    first = [caption["id"] for caption in ann.get("/api/captions?limit=3").json()["captions"]]
    rest = [caption["id"] for caption in ann.get(f"/api/captions?limit=3&before={first[-1]}").json()["captions"]]
    assert first + rest == sent[::-1]


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
def test_for_another_person_a_caption_does_not_exist(ann, ben, method, path, body):
    caption = ann.finished_caption(ann.send_photo())
    other = ben.request(method, f"/api/captions/{caption['id']}{path}", json=body)
    missing = ben.request(method, f"/api/captions/{'x' * 22}{path}", json=body)
    assert other.status_code == missing.status_code == 404
    assert other.json() == missing.json()
    assert ann.get(f"/api/captions/{caption['id']}").json() == caption


@pytest.mark.parametrize("id", ["1", "x" * 21, "%00" * 22, "%F0%9F%98%80" * 22, "..%2F..%2Fetc%2Fpasswd"])
def test_an_invalid_id_is_not_found(ann, id):
    assert ann.get(f"/api/captions/{id}").status_code == 404


def test_the_list_of_another_person_is_empty(ann, ben):
    caption = ann.send_photo().json()
    assert ben.get("/api/captions").json() == {"captions": []}
    assert ben.get(f"/api/captions?before={caption['id']}").status_code in (200, 404)


def test_forgetting_deletes_only_the_data_of_the_person(ann, ben):
    photo = new_photo()
    mine, other = ann.finished_caption(ann.send_photo(photo)), ben.finished_caption(ben.send_photo(photo))
    ann.put(f"/api/captions/{mine['id']}/vote", json={"value": 1})
    gone = ann.delete("/api/me")
    assert (gone.json()["captions"], gone.json()["votes"]) == (1, 1)
    assert ann.get("/api/captions").json() == {"captions": []}
    assert ben.get(other["photo"]).status_code == 200
    assert ben.get("/api/captions").json()["captions"][0]["id"] == other["id"]


def test_forgetting_deletes_the_cookie(ann):
    ann.send_photo()
    assert ann.cookies
    ann.delete("/api/me")
    assert not ann.cookies


def test_consent_is_asked_for_once_and_stored(ann):
    path = f"/api/captions/{ann.finished_caption(ann.send_photo())['id']}"
    assert ann.get("/api/me").json()["consent"] is None
    assert ann.put(f"{path}/vote", json={"value": 1}).json()["ask_consent"] is True
    assert ann.put(f"{path}/vote", json={"value": -1}).json()["ask_consent"] is False
    assert ann.put("/api/me/consent", json={"agreed": True}).json()["consent"] is True
    assert ann.put("/api/me/consent", json={"agreed": False}).json()["consent"] is False
    assert ann.get("/api/me").json()["consent"] is False


def test_without_the_cookie_a_client_is_another_person(site, ann):
    caption = ann.send_photo().json()
    assert httpx.get(f"{site.url}/api/captions/{caption['id']}").status_code == 404


def test_captions_are_searched_and_only_ones_own(client, new_client, service, queued, worker):
    other = new_client()
    for visitor, sentence in ((client, "Two dogs on a beach."), (client, "A cat."), (other, "A dog.")):
        assert visitor.send_photo().status_code == 202
        worker.caption(queued[-1], text=sentence)

    def found(**query):
        return [caption["caption"] for caption in client.get("/api/captions", params=query).json()["captions"]]

    assert found(search="dog beach") == ["Two dogs on a beach."]
    assert found(search="") == found(search="zebra") == []
    assert len(found()) == 2
    assert client.get("/api/captions", params={"search": "a" * 201}).status_code == 422
