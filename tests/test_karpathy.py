"""Reading Karpathy's split files."""

import json

import pytest

from model.errors import BadData
from training.data import load_dataset


def write(folder, name, **splits):
    images = [
        {"filename": file, "split": split, "sentences": [{"raw": "A dog runs.", "tokens": ["a", "dog", "runs"]}]}
        for split, file in splits.items()
    ]
    (folder / f"dataset_{name}.json").write_text(json.dumps({"images": images, "dataset": name}))
    for file in splits.values():
        (folder / file).write_bytes(b"photo")


def splits_of(dataset):
    return {example.id: example.split for example in dataset.examples}


@pytest.mark.parametrize("name", ["flickr8k", "flickr30k"])
def test_flickrs_splits_are_kept(tmp_path, name):
    write(tmp_path, name, train="1.jpg", val="2.jpg", test="3.jpg")
    assert splits_of(load_dataset(tmp_path)) == {"1": "train", "2": "val", "3": "test"}


def test_cocos_restval_is_trained_on_and_ids_are_those_of_the_official_files(tmp_path):
    write(tmp_path, "coco", restval="COCO_val2014_000000391895.jpg", test="COCO_val2014_000000060623.jpg")
    assert splits_of(load_dataset(tmp_path)) == {"000000391895": "train", "000000060623": "test"}


def test_several_files_are_not_read_together(tmp_path):
    """Flickr30k trains on photos that Flickr8k tests on; only `mix` takes care of that."""
    write(tmp_path, "flickr8k", train="1.jpg")
    write(tmp_path, "flickr30k", train="2.jpg")
    with pytest.raises(BadData, match=r"name one of dataset_flickr30k\.json, dataset_flickr8k\.json, not their folder"):
        load_dataset(tmp_path)
    assert splits_of(load_dataset(tmp_path / "dataset_flickr8k.json")) == {"1": "train"}


def test_a_photo_without_its_sentences_is_an_error_that_says_where(tmp_path):
    (tmp_path / "dataset_coco.json").write_text('{"images": [{"filename": "1.jpg", "split": "train"}]}')
    with pytest.raises(BadData, match=r"dataset_coco\.json, image 0: 'sentences' is missing or not a list"):
        load_dataset(tmp_path)
