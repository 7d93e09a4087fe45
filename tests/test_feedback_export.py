"""An export: what is in it, what is not, and that the same feedback always gives the same files."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from db import feedback_export
from db.erasure import forget
from db.feedback_export import NotAnExport, export
from db.feedback_records import held_out
from db.tables import Person, Photo, now
from tests.support.factories import make_caption, make_correction, make_person, make_photo, make_vote
from tests.support.service_parts import picture

ANN, BEN, EVE = "web:ann", "web:ben", "web:eve"


def jpeg(number: int, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture(number, size))) as image:
        image.save(buffer, "JPEG")
    return buffer.getvalue()


def rate(session, store, *, sender=ANN, number=1, size=(40, 30), votes=(), corrections=(), **caption):
    """A caption of a photo that its sender agreed to, with votes and corrections of these people."""
    make_person(session, sender, training_consent=True)
    data = jpeg(number, size)
    sha256 = hashlib.sha256(data).hexdigest()
    photo = session.query(Photo).filter_by(sha256=sha256).one_or_none() or make_photo(session, store, data)
    said = {"text": "A dog runs.", "words": ["a", "dog", "runs"]} | caption
    row = make_caption(session, sender, photo=photo, **said)
    for voter, value in votes:
        make_vote(session, row, value, voter)
    for writer, text in corrections:
        make_correction(session, row, text, writer)
    return row


@pytest.fixture
def filled(sessions, store):
    """Two photos of Ann's and one of Ben's; Ben and Eve rate them all."""
    with sessions.begin() as session:
        rate(session, store, number=1, votes=[(BEN, 1), (EVE, -1)])
        rate(session, store, number=2, votes=[(BEN, -1)], corrections=[(BEN, "a cat sleeps on a bed")])
        rate(session, store, sender=BEN, number=3, votes=[(EVE, 1)], corrections=[(EVE, "see www.cats.example now")])


def records(folder: Path, name: str = "captions.jsonl") -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_tells_what_people_said_of_each_caption(sessions, store, filled, tmp_path):
    exported = export(sessions, store, tmp_path / "out")
    first, second, third = records(exported.folder)
    assert (first["text"], first["words"], first["model"]) == ("A dog runs.", ["a", "dog", "runs"], "bundled")
    assert (first["up"], first["down"], first["confidence"]) == (1, 1, 0.5)
    assert [vote["value"] for vote in first["votes"]] == [1, -1]
    assert second["corrections"][0] | {"person": 0, "held_out": False} == {
        "person": 0,
        "text": "a cat sleeps on a bed",
        "accepted": True,
        "reason": None,
        "held_out": False,
    }
    assert (third["corrections"][0]["accepted"], third["corrections"][0]["reason"]) == (False, "a link")
    assert vars(exported.counts) == {"captions": 3, "photos": 3, "votes": 4, "accepted": 1, "quarantined": 1}


def test_the_same_feedback_gives_the_same_files(sessions, store, filled, tmp_path):
    one, two = export(sessions, store, tmp_path / "one"), export(sessions, store, tmp_path / "two")
    assert files(one.folder) == files(two.folder)
    again = export(sessions, store, tmp_path / "one")
    assert again.hash == two.hash
    assert files(again.folder) == files(two.folder)


def test_another_vote_changes_the_hash(sessions, store, filled, tmp_path):
    before = export(sessions, store, tmp_path / "out").hash
    with sessions.begin() as session:
        rate(session, store, number=1, votes=[(EVE, 1)])
    assert export(sessions, store, tmp_path / "out").hash != before


@pytest.mark.parametrize("answer", [False, None])
def test_a_photo_whose_sender_did_not_agree_is_not_in_it(sessions, store, filled, tmp_path, answer):
    with sessions.begin() as session:
        session.query(Person).filter_by(key=BEN).one().training_consent = answer
    exported = export(sessions, store, tmp_path / "out")
    assert len(records(exported.folder)) == 2
    assert len([*(exported.folder / "photos").iterdir()]) == 2


def test_a_forgotten_person_is_not_in_the_next_export_as_its_hash_shows(sessions, store, filled, tmp_path):
    before = export(sessions, store, tmp_path / "before")
    with sessions.begin() as session:
        rate(session, store, sender="web:zoe", number=7, votes=[("web:zoe", 1), (EVE, -1)])
        rate(session, store, number=1, votes=[("web:zoe", -1)], corrections=[("web:zoe", "a horse in a field")])
        rate(session, store, sender=BEN, number=3, votes=[("web:zoe", -1)])
    with_zoe = export(sessions, store, tmp_path / "with")
    assert with_zoe.hash != before.hash
    forget(sessions, store, "web:zoe")
    with sessions.begin() as session:  # what the others were shown meanwhile stays, but nobody rated it
        assert session.query(Person).filter_by(key="web:zoe").count() == 0
    after = export(sessions, store, tmp_path / "after")
    assert after.hash == before.hash
    assert files(after.folder) == files(before.folder)


def test_kept_exports_that_hold_a_forgotten_person_are_removed(sessions, store, filled, tmp_path):
    with sessions.begin() as session:
        make_person(session, "web:zoe")
    export(sessions, store, tmp_path / "exports/all")
    forget(sessions, store, "web:zoe", tmp_path / "exports")
    assert (tmp_path / "exports/all/manifest.json").exists()
    forget(sessions, store, EVE, tmp_path / "exports")
    assert [*(tmp_path / "exports").iterdir()] == []


def test_a_photo_that_is_no_longer_kept_is_left_out(sessions, store, filled, tmp_path):
    with sessions.begin() as session:
        photos = session.query(Photo).order_by(Photo.id).all()
        photos[0].dropped_at = now()
        store.drop(photos[1].sha256)  # a row that does not know it yet
    exported = export(sessions, store, tmp_path / "out")
    assert [record["photo"] for record in records(exported.folder)] == [photos[2].sha256]
    assert {person["person"] for person in records(exported.folder, "people.jsonl")} == {
        vote["person"] for vote in records(exported.folder)[0]["votes"]
    }


def test_a_sentence_that_repeats_a_person_s_is_not_the_model_s_and_not_in_it(sessions, store, tmp_path):
    with sessions.begin() as session:
        rate(session, store, votes=[(BEN, -1)], remembered_from=1)
    assert export(sessions, store, tmp_path / "out").counts.captions == 0


def test_since_leaves_out_what_was_said_before(sessions, store, tmp_path):
    day = datetime(2026, 3, 1, tzinfo=UTC)
    with sessions.begin() as session:
        for number, at in enumerate((day - timedelta(days=1), day, day + timedelta(days=1))):
            make_vote(session, rate(session, store, number=number), 1, BEN, voted_at=at)
    exported = export(sessions, store, tmp_path / "out", since=day)
    assert exported.counts.captions == 2


def test_copies_of_large_photos_are_small(sessions, store, tmp_path):
    with sessions.begin() as session:
        rate(session, store, number=1, size=(600, 400), votes=[(BEN, 1)])
        rate(session, store, number=2, size=(90, 120), votes=[(BEN, 1)])
    exported = export(sessions, store, tmp_path / "out")
    sizes = set()
    for path in (exported.folder / "photos").iterdir():
        with Image.open(path) as image:
            sizes.add(image.size)
    assert sizes == {(384, 256), (90, 120)}


def test_who_is_not_believed_is_listed_and_weighs_less(sessions, store, tmp_path):
    with sessions.begin() as session:
        for number in range(25):
            rate(session, store, number=number % 3, votes=[(EVE, -1)])
    exported = export(sessions, store, tmp_path / "out")
    assert [person["reasons"] for person in exported.suspicious] == [
        ["25 of 25 votes are thumbs down", "25 votes within a minute"]
    ]
    assert records(exported.folder)[0]["weighted_down"] == 0.04


def test_a_tenth_of_photos_and_people_is_held_out():
    out = [held_out(f"{kind}:{number}") for kind in ("photo", "person") for number in range(5000)]
    assert 0.09 < sum(out) / len(out) < 0.11


def test_who_is_held_out_never_changes():
    assert [number for number in range(60) if held_out(f"web:{number}")] == [17, 30, 42, 51]


def test_csv_has_the_same_rows_and_no_formulas(sessions, store, tmp_path):
    with sessions.begin() as session:
        rate(session, store, votes=[(BEN, 1), (EVE, 1)], corrections=[(BEN, '=HYPERLINK("x") a dog runs')])
    exported = export(sessions, store, tmp_path / "out", format="csv")
    tables = {
        path.stem: [*csv.DictReader(path.read_text("utf-8").splitlines())] for path in exported.folder.glob("*.csv")
    }
    assert {name: len(rows) for name, rows in tables.items()} == {
        "captions": 1,
        "votes": 2,
        "corrections": 1,
        "people": 2,
    }
    assert tables["captions"][0]["words"] == "a dog runs"
    assert tables["corrections"][0]["text"].startswith("'=")


def test_coco_can_be_read_as_a_data_set(sessions, store, filled, tmp_path):
    from training.data import load_dataset

    exported = export(sessions, store, tmp_path / "out", format="coco")
    dataset = load_dataset(exported.folder)
    assert [example.captions for example in dataset.examples] == [(("a", "cat", "sleeps", "on", "a", "bed"),)]
    assert dataset.photo_bytes(dataset.examples[0])[:2] == b"\xff\xd8"


def test_a_folder_that_is_no_export_is_left_alone(sessions, store, filled, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(NotAnExport, match="contains no export"):
        export(sessions, store, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".txt"] == ["letter.txt"]


def test_every_field_is_described(sessions, store, filled, tmp_path):
    exported = export(sessions, store, tmp_path / "out")
    guide = (exported.folder / feedback_export.GUIDE).read_text()
    manifest = json.loads((exported.folder / "manifest.json").read_text())
    fields = {*manifest, *records(exported.folder)[0], *records(exported.folder, "people.jsonl")[0]}
    fields |= {field for record in records(exported.folder) for one in record["corrections"] for field in one}
    assert {field for field in fields if f"`{field}`" not in guide} == set()
