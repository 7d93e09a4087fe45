"""Several data sets as one: no held-out photo of one is trained on through another."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import BadData
from tests.support.shapes import draw, write_shapes
from training.data import load_dataset, load_mixture, mix
from training.data.identity import photo_key


def karpathy(folder, name, splits, missing=()):
    """A data set in Karpathy's form: file name -> split."""
    folder = Path(folder) / name
    folder.mkdir()
    sentences = [{"raw": f"A photo of {name}."}]
    images = [{"filename": file, "split": split, "sentences": sentences} for file, split in splits.items()]
    (folder / f"dataset_{name}.json").write_text(json.dumps({"images": images}))
    for file in splits:
        if file not in missing:
            (folder / file).write_bytes(name.encode())
    return load_dataset(folder)


def splits_of(dataset):
    return {example.id: example.split for example in dataset.examples}


def test_a_photo_that_flickr8k_tests_on_is_not_trained_on_through_flickr30k(tmp_path):
    small = karpathy(tmp_path, "flickr8k", {"1000268201_693b08cb0e.jpg": "test", "1001773457_577c3a7d70.jpg": "train"})
    large = karpathy(tmp_path, "flickr30k", {"1000268201.jpg": "train", "1000092795.jpg": "train"})
    mixed = mix([small, large])
    assert splits_of(mixed) == {
        "1000268201_693b08cb0e": "test",
        "1001773457_577c3a7d70": "train",
        "1000092795": "train",
    }
    assert mixed.report.dropped == {"training photo that another data set holds out": ["1000268201.jpg"]}


def test_a_photo_of_two_training_splits_is_kept_once_with_its_own_bytes(tmp_path):
    small = karpathy(tmp_path, "flickr8k", {"1000268201_693b08cb0e.jpg": "train"})
    large = karpathy(tmp_path, "flickr30k", {"1000268201.jpg": "train", "1000092795.jpg": "val"})
    mixed = mix([small, large])
    assert mixed.report.dropped == {"photo that another data set has, too": ["1000268201.jpg"]}
    assert [mixed.photo_bytes(example) for example in mixed.examples] == [b"flickr8k", b"flickr30k"]


def test_a_held_out_photo_that_is_missing_is_trained_on_nowhere(tmp_path):
    names = {"1000268201_693b08cb0e.jpg": "test", "1001773457_577c3a7d70.jpg": "train"}
    small = karpathy(tmp_path, "flickr8k", names, missing=["1000268201_693b08cb0e.jpg"])
    large = karpathy(tmp_path, "flickr30k", {"1000268201.jpg": "train"})
    assert splits_of(mix([small, large])) == {"1001773457_577c3a7d70": "train"}


def test_a_photo_in_none_of_flickr8ks_lists_is_trained_on_nowhere(tmp_path):
    for name in ("10001_a.jpg", "10002_b.jpg"):
        (tmp_path / name).write_bytes(b"photo")
    (tmp_path / "Flickr8k.token.txt").write_text("10001_a.jpg#0\tA dog runs .\n10002_b.jpg#0\tA cat runs .\n")
    (tmp_path / "Flickr_8k.trainImages.txt").write_text("10001_a.jpg\n")
    small = load_dataset(tmp_path)
    large = karpathy(tmp_path, "flickr30k", {"10002.jpg": "train"})
    assert splits_of(mix([large, small])) == {"10001_a": "train"}


def test_the_mixed_report_adds_up_its_parts(tmp_path):
    small = karpathy(tmp_path, "flickr8k", {"10001_a.jpg": "train", "10002_b.jpg": "val"}, missing=["10002_b.jpg"])
    large = karpathy(tmp_path, "flickr30k", {"10003.jpg": "val"})
    report = mix([small, large]).report
    assert report.read == (3, 3)
    assert report.splits == {"train": (1, 1), "val": (1, 1), "test": (0, 0)}
    assert report.dropped == {"photo missing": ["10002_b.jpg"]}
    assert small.report.dropped == {"photo missing": ["10002_b.jpg"]}


def test_a_mixture_can_be_mixed_again(tmp_path):
    parts = [
        karpathy(tmp_path, "flickr8k", {"10001_a.jpg": "test"}),
        karpathy(tmp_path, "flickr30k", {"10001.jpg": "train", "10002.jpg": "val"}),
        karpathy(tmp_path, "coco", {"10002_c.jpg": "train", "cat.jpg": "train"}),
    ]
    assert mix([mix(parts[:2]), parts[2]]).hash == mix(parts).hash


def test_nothing_to_mix_is_an_error():
    with pytest.raises(BadData, match="nothing to mix"):
        mix([])


SPLITS = st.sampled_from(["train", "val", "test"])
SMALL = st.dictionaries(st.sampled_from([f"1000{n}_a.jpg" for n in range(6)]), SPLITS, min_size=1)
LARGE = st.dictionaries(st.sampled_from([f"1000{n}.jpg" for n in range(6)]), SPLITS, min_size=1)


@settings(max_examples=60, deadline=None)
@given(small=SMALL, large=LARGE)
def test_no_photo_is_in_two_splits_and_none_that_is_held_out_is_trained_on(small, large):
    with TemporaryDirectory() as folder:
        mixed = mix([karpathy(folder, "flickr8k", small), karpathy(folder, "flickr30k", large)])
    keys = {split: {photo_key(example.id) for example in mixed.split(split)} for split in ("train", "val", "test")}
    held_out = {photo_key(name[:-4]) for part in (small, large) for name, split in part.items() if split != "train"}
    assert not keys["train"] & held_out
    assert held_out == keys["val"] | keys["test"]
    assert sum(map(len, keys.values())) == len({photo_key(name[:-4]) for name in [*small, *large]})


def test_a_photo_that_looks_like_one_that_another_set_holds_out_is_not_trained_on(tmp_path):
    held_out = write_shapes(tmp_path / "shapes")
    other = tmp_path / "copies"
    other.mkdir()
    draw("square", "blue", (320, 240)).save(other / "renamed.png")  # held out by shapes, in another size and format
    draw("circle", "red").rotate(30).crop((0, 8, 64, 48)).resize((90, 60)).save(other / "new.png")
    (other / "broken.jpg").write_bytes(b"no photo")
    rows = [f"{name},A red thing,train\n" for name in ("renamed.png", "new.png", "broken.jpg")]
    (other / "captions.csv").write_text("photo,caption,split\n" + "".join(rows))
    mixed = load_mixture([held_out, other])
    assert [e.photo for e in mixed.split("train") if e.dataset == "copies"] == ["new.png", "broken.jpg"]
    reason = "training photo that looks like one that another data set holds out"
    assert mixed.report.dropped == {reason: ["renamed.png"]}


def test_data_sets_of_one_name_are_refused_as_only_their_names_tell_them_apart(tmp_path):
    paths = [write_shapes(tmp_path / "shapes"), tmp_path / "other"]
    paths[1].mkdir()
    with pytest.raises(BadData, match="two data sets are called shapes; rename a folder"):
        load_mixture([paths[0], write_shapes(paths[1] / "shapes")])
