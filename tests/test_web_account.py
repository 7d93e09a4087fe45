"""/api/me: preferences, the export of one's captions, and what is said when everything is deleted."""

import csv
import io
import json

import pytest

from db.tables import Caption
from tests.support.factories import make_undeletable
from tests.support.web_client import new_photo

pytestmark = pytest.mark.database("sqlite")


def send(client, worker, queued, name="beach.png", **said):
    answer = client.post("/api/captions", files={"photo": (name, new_photo())})
    assert answer.status_code == 202, answer.text
    worker.caption(queued[-1], **said)
    return answer.json()["id"]


def test_an_export_has_a_row_for_each_caption_of_this_person(client, new_client, worker, queued):
    send(client, worker, queued, text="Could be: a dog.", words=["a", "dog"], hedged=True, confidence=0.125)
    corrected = send(client, worker, queued, "C:\\photos\\Straße.jpg", text="A cat.")
    client.put(f"/api/captions/{corrected}/correction", json={"text": "Ein Fuchs im Schnee."})
    send(new_client(), worker, queued, text="A secret.")
    client.send_photo()  # not finished

    answer = client.get("/api/me/export.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="captions.json"'
    first, second = answer.json()
    assert (first["file_name"], first["alt_text"], first["corrected"], first["language"]) == (
        "Straße.jpg", "Ein Fuchs im Schnee.", True, None,
    )  # fmt: skip
    assert (second["file_name"], second["alt_text"], second["corrected"], second["language"]) == (
        "beach.png", "A dog.", False, "en",
    )  # fmt: skip
    assert (second["confidence"], second["sentence"]) == (0.125, 1)

    table = client.get("/api/me/export.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [row["alt_text"] for row in rows] == ["Ein Fuchs im Schnee.", "A dog."]
    assert [row["corrected"] for row in rows] == ["yes", "no"]
    assert rows[0]["created_at"] == first["created_at"]


def test_an_empty_export_is_whole(client):
    assert client.get("/api/me/export.json").json() == []
    assert client.get("/api/me/export.csv").content.decode("utf-8-sig").startswith('"file_name","alt_text"')


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_no_cell_is_a_formula(client, worker, queued, start):
    dangerous = f'{start}HYPERLINK("https://evil.example","x")'
    id = send(client, worker, queued, f"{start}1.png", text="A dog.")
    client.put(f"/api/captions/{id}/correction", json={"text": dangerous})
    (row,) = csv.DictReader(io.StringIO(client.get("/api/me/export.csv").content.decode("utf-8-sig")))
    assert row["alt_text"] == f"'{dangerous}"
    assert row["file_name"] == f"'{start}1.png"
    assert client.get("/api/me/export.json").json()[0]["alt_text"] == dangerous


def test_a_long_list_is_exported_whole_and_in_order(client, worker, queued, sessions, monkeypatch):
    monkeypatch.setattr("bots.service.caption_export.PAGE", 2)
    made = [send(client, worker, queued, text=f"Dog {number}.") for number in range(5)]
    assert [row["id"] for row in client.get("/api/me/export.json").json()] == made[::-1]
    assert len(json.loads(client.get("/api/me/export.json").text)) == 5


def test_the_name_of_a_file_comes_back_and_is_deleted_with_its_caption(client, worker, queued, tmp_path):
    id = send(client, worker, queued, "../Anna & Bo.png", text="A dog.")
    assert client.get(f"/api/captions/{id}").json()["file_name"] == "Anna & Bo.png"
    client.delete("/api/me")
    assert not any(b"Anna & Bo" in path.read_bytes() for path in tmp_path.glob("test.db*"))


def test_preferences_hold_for_the_next_photos(client, service, queued, sessions):
    assert {name: client.get("/api/me").json()[name] for name in ("length", "quality", "hedging")} == {
        "length": "normal", "quality": "careful", "hedging": True,
    }  # fmt: skip
    changed = client.put("/api/me/preferences", json={"length": "short"}).json()
    assert (changed["length"], changed["quality"]) == ("short", "careful")
    assert client.put("/api/me/preferences", json={"quality": "quick"}).json()["length"] == "short"

    def options():
        with sessions() as session:
            return session.get(Caption, queued[-1]).options

    client.send_photo()
    assert (options().length, options().beams) == ("short", 1)
    client.send_photo(params={"length": "long"})
    assert options().length == "long"
    assert client.put("/api/me/preferences", json={"length": "endless"}).status_code == 422


def test_deleting_says_what_is_left(client, new_client, worker, queued, store):
    other = new_client()
    send(other, worker, queued, text="A cat.")
    make_undeletable(store)
    assert other.delete("/api/me").json()["left"] == 1
    send(client, worker, queued, text="A dog.")
    gone = client.delete("/api/me").json()
    assert gone == {"captions": 1, "photos": 1, "votes": 0, "corrections": 0, "exports": 0, "left": 0}
    send(client, worker, queued, text="A dog.")
    make_undeletable(store)
    assert client.delete("/api/me").json()["left"] == 1
