"""Exports, run folders and data sets from a stranger: refused with a sentence, and nothing is read outside of them."""

import functools
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
import torch

from model.errors import BadData, BadRecipe, UnreadablePhoto
from training.captioning.progress import Progress
from training.captioning.recipe import Recipe
from training.data import load_dataset
from training.data.photo_files import Place
from training.data.text_files import read_text
from training.features.feature_cache import FeatureCache
from training.feedback.dataset import read_feedback
from training.promotion.verdict import Finding, Judgement
from training.runs.run_folder import keep_recipe

SHA = "ab" * 32
DEEP = "[" * 100_000 + "]" * 100_000
VOTE = {"person": 2, "value": 1, "weight": 1.0, "held_out": False}
CORRECTION = {"person": 2, "text": "a cat sleeps", "accepted": True, "reason": None, "held_out": False}
RECORD = {
    "caption": 1,
    "photo": SHA,
    "held_out": False,
    "sender": 1,
    "text": "A dog.",
    "words": ["a", "dog"],
    "confidence": 0.5,
    "hedged": False,
    "is_photo": True,
    "model": "bundled",
    "rank": 0,
    "shown": "2026-01-01T00:00:00+00:00",
    "up": 1,
    "down": 0,
    "weighted_up": 1.0,
    "weighted_down": 0,
    "votes": [VOTE],
    "corrections": [CORRECTION],
}
MANIFEST = {
    "format": "captionbot-feedback",
    "version": 1,
    "tables": "jsonl",
    "since": None,
    "hash": "cd" * 32,
    "counts": {},
    "people": [1, 2],
}


def export(folder: Path, record: dict, manifest: dict = MANIFEST) -> Path:
    (folder / "photos").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "captions.jsonl").write_text(json.dumps(record) + "\n")
    return folder


def test_an_export_as_it_is_written_is_read(tmp_path):
    feedback = read_feedback(export(tmp_path / "out", RECORD))
    assert [one.corrections for one in feedback.train] == [(("a", "cat", "sleeps"),)]


@pytest.mark.parametrize(
    "damage",
    [
        {"photo": "../../../etc/passwd"},
        {"photo": "../" * 20 + SHA},
        {"photo": SHA.upper()},
        {"votes": [VOTE | {"weight": float("nan")}]},
        {"votes": [VOTE | {"weight": float("inf")}]},
        {"votes": [VOTE | {"weight": 1e30}]},
        {"votes": [VOTE | {"weight": -1.0}]},
        {"votes": [VOTE | {"value": 1000}]},
        {"votes": [VOTE | {"held_out": "no"}]},
        {"votes": {"0": VOTE}},
        {"corrections": [CORRECTION | {"text": "x" * 10_001}]},
        {"corrections": [CORRECTION | {"accepted": 1}]},
        {"words": "a dog"},
        {"words": [["a"]]},
        {"words": ["a"] * 1001},
        {"confidence": float("nan")},
        {"is_photo": "yes"},
        {"held_out": None},
    ],
)
def test_a_record_that_captionbot_does_not_write_is_refused(tmp_path, damage):
    with pytest.raises(BadData, match=r"captions\.jsonl, line 1: .*; export again"):
        read_feedback(export(tmp_path / "out", RECORD | damage))


@pytest.mark.parametrize(
    "damage", [{"hash": "../../../x"}, {"hash": 5}, {"people": ["me"]}, {"counts": None}, {"since": 1}]
)
def test_a_manifest_that_captionbot_does_not_write_is_refused(tmp_path, damage):
    with pytest.raises(BadData, match=r"manifest\.json: .*; export again"):
        read_feedback(export(tmp_path / "out", RECORD, MANIFEST | damage))


def test_json_that_is_too_deep_is_refused(tmp_path):
    folder = export(tmp_path / "out", RECORD)
    (folder / "captions.jsonl").write_text(DEEP)
    with pytest.raises(BadData, match="not JSON"):
        read_feedback(folder)


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd"])
def test_a_link_for_a_photo_is_refused(tmp_path, target):
    folder = export(tmp_path / "out", RECORD)
    (folder / f"photos/{SHA}.jpg").symlink_to(target)
    with pytest.raises(BadData, match="a link, and no photo"):
        read_feedback(folder)


def test_a_link_for_the_folder_of_photos_is_refused(tmp_path):
    folder = export(tmp_path / "out", RECORD)
    (folder / "photos").rmdir()
    (folder / "photos").symlink_to(tmp_path)
    with pytest.raises(BadData, match="a link, and no photo"):
        read_feedback(folder)


def test_a_pipe_and_an_endless_file_are_no_photos(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(UnreadablePhoto, match="not a file"):
            Place(path).read()
        with pytest.raises(BadData, match="not a file"):
            read_text(path)


def test_a_photo_too_large_for_any_camera_is_not_read(tmp_path):
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(UnreadablePhoto, match="more than 200,000,000 bytes"):
        Place(tmp_path / "large.jpg").read()


@pytest.mark.parametrize("name", ["../secret.jpg", "../../../../secret.jpg", "..\\secret.jpg", "{tmp}/secret.jpg"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_caption_file_finds_no_photo_outside_of_its_folder(tmp_path, name, form):
    name = name.format(tmp=tmp_path)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    data = tmp_path / "data"
    data.mkdir()
    lines = {
        "csv": f'photo,caption\n"{name}",a dog runs\n',
        "jsonl": json.dumps({"photo": name, "caption": "a dog runs"}),
    }
    (data / f"captions.{form}").write_text(lines[form])
    with pytest.raises(BadData, match="none of its 1 photos"):
        load_dataset(data)


def test_members_of_an_archive_are_never_unpacked_and_links_are_none(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with tarfile.open(data / "photos.tar", "w") as tar:
        for name in ("../escaped.jpg", "/tmp/absolute.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (data / "captions.csv").write_text("photo,caption\nescaped.jpg,a dog runs\nlink.jpg,a cat runs\n")
    dataset = load_dataset(data)
    assert [dataset.photo_bytes(example) for example in dataset.examples] == [b"abc"]
    assert dataset.report.dropped == {"photo missing": ["link.jpg"]}
    assert not (tmp_path / "escaped.jpg").exists()


NESTED = functools.reduce(lambda inner, _: {"a": inner}, range(100), 1)
FINDING = {"what": "cider", "told": "better", "good": True}


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        json.dumps({"current": "a", "candidate": "b", "findings": [], "figures": {}}),
        json.dumps({"current": "a", "candidate": "b", "findings": [FINDING | {"good": "no"}], "figures": {}}),
        json.dumps({"current": "a", "candidate": "b", "findings": [FINDING], "figures": []}),
        json.dumps({"current": "a", "candidate": "b", "findings": [FINDING], "figures": {"deep": NESTED}}),
    ],
)
def test_a_judgement_that_no_judge_wrote_promotes_nothing(tmp_path, content):
    (tmp_path / "judgement.json").write_text(content)
    with pytest.raises(BadData, match="judge the candidate again"):
        Judgement.load(tmp_path)


def test_figures_that_are_no_numbers_are_stored_as_none(tmp_path):
    judgement = Judgement("a", "b", [Finding("cider", "better", True)], {"gain": float("nan"), "list": [1.0]})
    judgement.save(tmp_path)
    assert "NaN" not in (tmp_path / "judgement.json").read_text()
    assert Judgement.load(tmp_path).figures == {"gain": None, "list": [1.0]}


@pytest.mark.parametrize("content", [DEEP, "[]", "{", "\x00"])
def test_a_run_whose_recipe_is_damaged_is_not_resumed(tmp_path, content):
    (tmp_path / "last.pt").write_bytes(b"")
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(BadRecipe, match=r"recipe\.json: .*choose another --out"):
        keep_recipe(tmp_path, Recipe(), ())


class Opener:
    """What a pickle from a stranger does when it is loaded."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_the_state_of_a_run_executes_nothing_and_damage_is_said(tmp_path):
    torch.save({"phase": Opener(tmp_path / "executed")}, tmp_path / "last.pt")
    with pytest.raises(BadData, match=r"last\.pt: not the state of a run"):
        Progress.load(tmp_path)
    assert not (tmp_path / "executed").exists()
    for content in (b"", b"PK\x03\x04 no archive", b"\x80\x02."):
        (tmp_path / "last.pt").write_bytes(content)
        with pytest.raises(BadData, match=r"last\.pt: not the state of a run"):
            Progress.load(tmp_path)
    torch.save({"phase": "cross_entropy"}, tmp_path / "last.pt")
    with pytest.raises(BadData, match=r"last\.pt: has no epoch"):
        Progress.load(tmp_path)


def test_damaged_features_are_named(tmp_path):
    (tmp_path / "photos.json").write_text('["a", "b"]')
    (tmp_path / "plain.npy").write_bytes(b"no array")
    with pytest.raises(BadData, match="the features are damaged"):
        FeatureCache(tmp_path)
    (tmp_path / "photos.json").write_text(DEEP)
    with pytest.raises(BadData, match=r"photos\.json: not JSON"):
        FeatureCache(tmp_path)
