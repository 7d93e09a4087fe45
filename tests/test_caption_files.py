"""Captioning photos from files and folders: order, damaged files, interruption."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.caption_files import CaptionedFile, FailedFile, RepeatedPhotos, caption_files, find_pictures, read_picture
from model.captioner import Prediction
from model.errors import UnreadablePhoto
from roles.caption_output import json_line, plain_line, terminal_row

COLOURS = ("red", "green", "blue")


class NamesTheColour:
    """A captioner that needs no network: it names the strongest channel of a photo, and remembers its batches."""

    def __init__(self):
        self.batches: list[int] = []

    def caption(self, photos, *, beams, nbest):
        self.batches.append(len(photos))
        return [self.predict(COLOURS[int(photo.mean(axis=(0, 1)).argmax())], nbest) for photo in photos]

    def predict(self, colour: str, nbest: int) -> Prediction:
        others = tuple(f"Perhaps {other}." for other in COLOURS if other != colour)
        return Prediction(f"It is {colour}.", ("it", "is", colour), 0.75, others[: nbest - 1], (), None, False, True)


@pytest.fixture
def folder(tmp_path, photo_bytes) -> Path:
    """a.jpg is red, b.png broken, c.png blue, deep/d.JPEG green; and a file that is no picture."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.jpg").write_bytes(photo_bytes("JPEG", colour="red"))
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.png").write_bytes(photo_bytes("PNG", colour="blue"))
    (tmp_path / "deep" / "d.JPEG").write_bytes(photo_bytes("JPEG", colour="green"))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_a_folder_gives_its_pictures_in_order(folder):
    assert [path.name for path in find_pictures([folder])] == ["a.jpg", "b.png", "c.png", "d.JPEG"]


HIDDEN = "._a.jpg .DS_Store .trash/a.jpg __MACOSX/a.jpg __MACOSX/._a.jpg @eaDir/a.jpg/thumb.jpg $RECYCLE.BIN/a.jpg"


def test_what_operating_systems_write_into_a_folder_is_left_out(folder, photo_bytes):
    for name in (*HIDDEN.split(), "Thumbs.db", "desktop.ini", "deep/._d.JPEG", "album.jpg/e.jfif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo_bytes("JPEG", colour="red"))
    pictures = ["a.jpg", "album.jpg/e.jfif", "b.png", "c.png", "deep/d.JPEG"]
    assert find_pictures([folder]) == [folder / name for name in pictures]
    by_the_shell = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    named = find_pictures(by_the_shell)  # captionbot caption folder/*
    assert [path.name for path in named] == ["a.jpg", "b.png", "c.png", "notes.txt"]


def test_a_file_of_an_operating_system_that_is_named_alone_is_reported(tmp_path):
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (result,) = caption_files(NamesTheColour(), find_pictures([tmp_path / "Thumbs.db"]))
    assert isinstance(result, FailedFile)


def test_a_hidden_folder_that_is_named_is_searched(tmp_path, photo_bytes):
    hidden = tmp_path / ".photos"
    hidden.mkdir()
    (hidden / "a.jpg").write_bytes(photo_bytes("JPEG", colour="red"))
    assert find_pictures([hidden]) == [hidden / "a.jpg"]


def test_a_name_with_control_characters_stays_on_its_line():
    result = CaptionedFile(Path("a\tb\nc\x1b[2J.jpg"), np.zeros((2, 2, 3)), NamesTheColour().predict("red", 1), 1.0)
    assert plain_line(result).split("\t")[0] == r"a\tb\nc\x1b[2J.jpg"
    console = Console(width=80)
    with console.capture() as shown:
        console.print(terminal_row(result, 30))
    assert shown.get().count("\n") == 1
    assert "\x1b[2J" not in shown.get()


def test_named_files_are_kept_as_they_are(folder):
    named = [folder / "notes.txt", folder / "missing.jpg"]
    assert find_pictures(named) == named


def test_results_come_in_the_order_of_the_paths(folder):
    paths = find_pictures([folder])
    results = list(caption_files(NamesTheColour(), paths, batch=2))
    assert [result.path for result in results] == paths
    assert [r.prediction.text for r in results if isinstance(r, CaptionedFile)] == [
        "It is red.",
        "It is blue.",
        "It is green.",
    ]


def test_a_broken_file_fails_alone_and_takes_no_place_in_the_batch(folder):
    captioner = NamesTheColour()
    results = list(caption_files(captioner, find_pictures([folder]), batch=2))
    assert [result.path.name for result in results if isinstance(result, FailedFile)] == ["b.png"]
    assert captioner.batches == [2, 1]


def test_a_folder_without_pictures_is_an_error_that_names_it(tmp_path):
    (result,) = caption_files(NamesTheColour(), find_pictures([tmp_path]))
    assert isinstance(result, FailedFile)
    assert str(result.error) == f"{tmp_path}: no pictures in this folder"


def test_only_broken_files_never_reach_the_captioner(folder):
    captioner = NamesTheColour()
    results = list(caption_files(captioner, [folder / "b.png", folder / "notes.txt"]))
    assert all(isinstance(result, FailedFile) for result in results)
    assert captioner.batches == []


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "large.jpg").write_bytes(bytes(2_500_000))
    with pytest.raises(UnreadablePhoto, match=r"large\.jpg: the file has 2\.5 MB, the limit is 2 MB"):
        read_picture(tmp_path / "large.jpg", max_bytes=2e6)


def test_photos_are_read_ahead_but_only_so_far(folder):
    begun: list[int] = []

    def read(path: Path) -> np.ndarray:
        begun.append(1)
        return np.zeros((224, 224, 3), np.uint8)

    results = caption_files(NamesTheColour(), [folder / "a.jpg"] * 100, batch=4, read=read)
    next(results)
    results.close()  # stops the readers
    assert 4 < len(begun) <= 2 * 4 + 3 * 4 + 1  # one batch in the engine, one that waits for it, three ahead


def test_a_json_line_has_the_promised_keys(folder):
    (result,) = caption_files(NamesTheColour(), [folder / "a.jpg"], nbest=3)
    entry = json.loads(json_line(result, "0123456789ab"))
    assert entry.pop("milliseconds") >= 0
    assert entry == {
        "photo": str(folder / "a.jpg"),
        "caption": "It is red.",
        "confidence": 0.75,
        "alternatives": ["Perhaps green.", "Perhaps blue."],
        "model": "0123456789ab",
    }


def test_a_plain_line_has_tabs_between_file_sentence_and_confidence(folder):
    (result,) = caption_files(NamesTheColour(), [folder / "a.jpg"], nbest=2)
    assert plain_line(result) == f"{folder / 'a.jpg'}\tIt is red.\t0.75\tPerhaps green."


def test_a_terminal_shows_alternatives_below_the_sentence(folder):
    (result,) = caption_files(NamesTheColour(), [folder / "a.jpg"], nbest=2)
    console = Console(width=40, file=io.StringIO())
    console.print(terminal_row(result, width=8))
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == [
        "a.jpg     It is red.  75%",
        "          Perhaps green.",
    ]


def test_equal_photos_are_captioned_once_in_one_batch_and_in_several(tmp_path, photo_bytes):
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "red"), ("d", "red"), ("e", "blue")):
        (tmp_path / f"{name}.png").write_bytes(photo_bytes("PNG", colour=colour))
    captioner = NamesTheColour()
    results = list(caption_files(RepeatedPhotos(captioner), find_pictures([tmp_path]), batch=2))
    texts = [result.prediction.text for result in results]
    assert texts == ["It is red.", "It is blue.", "It is red.", "It is red.", "It is blue."]
    assert sum(captioner.batches) == 2
