"""Reading COCO's annotation files."""

import json

import pytest

from model.errors import BadData
from training.data import load_dataset


def content(*numbers):
    return {
        "images": [{"id": number, "file_name": f"{number:012d}.jpg"} for number in numbers],
        "annotations": [{"id": 7, "image_id": number, "caption": "A dog runs."} for number in numbers] * 2,
    }


@pytest.fixture
def folder(tmp_path):
    """Laid out as COCO is: annotations beside one folder of photos a split."""
    for split, number in (("train2017", 9), ("val2017", 139)):
        (tmp_path / split).mkdir()
        (tmp_path / split / f"{number:012d}.jpg").write_bytes(b"photo")
    (tmp_path / "annotations").mkdir()
    return tmp_path


def test_the_files_name_the_split_and_photos_are_found_below_the_folder(folder):
    (folder / "annotations/captions_train2017.json").write_text(json.dumps(content(9)))
    (folder / "annotations/captions_val2017.json").write_text(json.dumps(content(139)))
    dataset = load_dataset(folder)
    assert [(example.id, example.split) for example in dataset.examples] == [
        ("000000000009", "train"),
        ("000000000139", "val"),
    ]
    assert dataset.photo_bytes(dataset.examples[1]) == b"photo"


def test_one_file_may_be_read_alone_with_photos_elsewhere(folder):
    path = folder / "annotations/captions_val2017.json"
    path.write_text(json.dumps(content(139)))
    dataset = load_dataset(path, photos=folder / "val2017")
    assert [example.split for example in dataset.examples] == ["val"]


def test_a_caption_of_an_unlisted_photo_is_dropped_and_named(folder):
    data = content(9)
    data["annotations"].append({"image_id": 5, "caption": "A lost dog."})
    (folder / "captions_train.json").write_text(json.dumps(data))
    assert load_dataset(folder).report.dropped["caption of a photo that is not listed"] == [
        "captions_train.json image 5"
    ]


def test_a_photo_without_captions_is_dropped_and_named(folder):
    data = content(9)
    data["images"].append({"id": 139, "file_name": "000000000139.jpg"})
    (folder / "captions_train.json").write_text(json.dumps(data))
    assert load_dataset(folder).report.dropped["photo left without captions"] == ["000000000139.jpg"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "'images' is missing or not a list"),
        ({"images": [5], "annotations": []}, "image 0: 'id' is missing or not a whole number or text"),
        ({"images": [{"id": True, "file_name": "1.jpg"}]}, "image 0: 'id' is missing"),
        (
            {"images": [], "annotations": [{"image_id": 1, "caption": None}]},
            "annotation 0: 'caption' is missing or not text",
        ),
    ],
)
def test_what_is_not_coco_is_named_with_its_place(folder, data, message):
    (folder / "captions_train.json").write_text(json.dumps(data))
    with pytest.raises(BadData, match=message):
        load_dataset(folder)
