"""Photo ids that are the same in several data sets, and splits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import BadData
from training.data.identity import parse_split, photo_id, photo_key, split_by_hash, stricter


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("1000268201_693b08cb0e.jpg", "1000268201_693b08cb0e"),
        ("1000092795.jpg", "1000092795"),
        ("000000391895.jpg", "000000391895"),
        ("COCO_val2014_000000391895.jpg", "000000391895"),
        ("cats/1.png", "cats/1"),
        ("no-suffix", "no-suffix"),
    ],
)
def test_the_id_is_the_files_name_without_suffix_and_without_cocos_year(name, id):
    assert photo_id(name) == id


def test_flickr8k_and_flickr30k_ids_of_a_photo_have_the_same_key():
    assert photo_key("1000268201_693b08cb0e") == photo_key("1000268201") == "1000268201"


def test_ids_that_are_not_flickrs_are_their_own_key():
    assert [photo_key(id) for id in ("cat_1", "cats/12345", "12345_cat")] == ["cat_1", "cats/12345", "12345_cat"]


def test_the_split_by_hash_never_changes():
    """Pinned: another hash would move photos that were held out into training."""
    assert [number for number in range(40) if split_by_hash(f"photo-{number}") == "val"] == [3, 6, 8, 10, 21]


def test_about_one_photo_in_ten_is_held_out():
    held_out = sum(split_by_hash(f"photo-{number}") == "val" for number in range(5000))
    assert 430 < held_out < 570


@given(number=st.integers(10_000, 10**11), secret=st.text("0123456789abcdef", min_size=10, max_size=10))
def test_the_split_is_the_photos_whichever_data_set_names_it(number, secret):
    assert split_by_hash(f"{number}_{secret}") == split_by_hash(str(number))


@given(st.text())
def test_any_id_has_a_split_and_keeps_it(id):
    assert split_by_hash(id) == split_by_hash(id)
    assert split_by_hash(id) in ("train", "val")


def test_other_names_of_splits_are_understood():
    assert [parse_split(name, "here") for name in ("Train", "dev", " validation", "restval", "test")] == [
        "train",
        "val",
        "val",
        "train",
        "test",
    ]


def test_an_unknown_split_is_an_error_that_lists_the_known_ones():
    with pytest.raises(BadData, match=r"here: there is no split 'tset'; use one of train, val, test"):
        parse_split("tset", "here")


def test_test_is_stricter_than_val_and_val_than_train():
    assert [stricter("train", "val"), stricter("test", "val"), stricter("train", "train")] == ["val", "test", "train"]
