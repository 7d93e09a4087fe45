"""Reading Flickr8k's token file and its split lists."""

import pytest

from model.errors import BadData
from training.data import load_dataset
from training.data.identity import split_by_hash


@pytest.fixture
def folder(tmp_path):
    """Photos 1.jpg to 4.jpg. Whether they are readable is not the readers' business."""
    for number in range(1, 5):
        (tmp_path / f"{number}.jpg").write_bytes(b"photo")
    return tmp_path


def write_tokens(folder, *numbers):
    lines = [f"{number}.jpg#{caption}\tA dog runs {caption} .\n" for number in numbers for caption in range(2)]
    (folder / "Flickr8k.token.txt").write_text("".join(lines))


def test_the_token_file_is_read_with_its_split_lists(folder):
    write_tokens(folder, 1, 2, 3)
    (folder / "Flickr_8k.trainImages.txt").write_text("1.jpg\n")
    (folder / "Flickr_8k.devImages.txt").write_text("2.jpg\r\n")
    (folder / "Flickr_8k.testImages.txt").write_text("3.jpg")
    dataset = load_dataset(folder)
    assert [(example.id, example.split) for example in dataset.examples] == [
        ("1", "train"),
        ("2", "val"),
        ("3", "test"),
    ]
    assert dataset.examples[0].captions == (("a", "dog", "runs", "0"), ("a", "dog", "runs", "1"))
    assert dataset.report.notes == []


def test_photos_in_neither_list_are_left_out_and_named(folder):
    write_tokens(folder, 1, 2)
    (folder / "Flickr_8k.trainImages.txt").write_text("1.jpg\n")
    dataset = load_dataset(folder)
    assert [example.id for example in dataset.examples] == ["1"]
    assert dataset.report.dropped["photo in none of the split lists"] == ["2.jpg"]


def test_a_photo_in_two_lists_is_held_out(folder):
    write_tokens(folder, 1, 2)
    (folder / "Flickr_8k.trainImages.txt").write_text("1.jpg\n2.jpg\n")
    (folder / "Flickr_8k.testImages.txt").write_text("2.jpg\n")
    assert [example.split for example in load_dataset(folder).examples] == ["train", "test"]


def test_without_lists_the_split_is_by_hash(folder):
    write_tokens(folder, 1, 2, 3, 4)
    dataset = load_dataset(folder)
    assert {example.id: example.split for example in dataset.examples} == {id: split_by_hash(id) for id in "1234"}


def test_a_listed_photo_without_captions_is_named(folder):
    write_tokens(folder, 1)
    (folder / "Flickr_8k.trainImages.txt").write_text("1.jpg\n9.jpg\n")
    assert load_dataset(folder).report.dropped == {"photo in a split list, without captions": ["9.jpg"]}


def test_malformed_lines_are_dropped_and_numbered(folder):
    write_tokens(folder, 1)
    with (folder / "Flickr8k.token.txt").open("a") as file:
        file.write("\n2.jpg A dog without a tab\n3.jpg\tA dog without a number\n")
    dropped = load_dataset(folder).report.dropped["line without photo#number, tab, caption"]
    assert dropped == ["Flickr8k.token.txt line 4", "Flickr8k.token.txt line 5"]


def test_kaggles_table_is_read_with_its_quotes(folder):
    (folder / "captions.txt").write_text('image,caption\n1.jpg,"A dog , a cat and a ""mouse"" ."\n1.jpg,A dog runs .\n')
    dataset = load_dataset(folder)
    assert dataset.report.format == "flickr8k"
    assert dataset.examples[0].captions == (("a", "dog", "a", "cat", "and", "a", "mouse"), ("a", "dog", "runs"))


def test_kaggles_table_is_split_by_the_lists_where_they_are(folder):
    (folder / "captions.txt").write_text("image,caption\n1.jpg,A dog runs .\n2.jpg,A cat runs .\n")
    (folder / "Flickr_8k.testImages.txt").write_text("1.jpg\n")
    (folder / "Flickr_8k.trainImages.txt").write_text("2.jpg\n")
    assert [example.split for example in load_dataset(folder).examples] == ["test", "train"]


def test_a_table_with_other_columns_is_an_error(folder):
    (folder / "captions.txt").write_text("photo;caption\n1.jpg;A dog\n")
    with pytest.raises(BadData, match="first line must be image,caption"):
        load_dataset(folder)


def test_the_real_data_has_its_published_sizes(flickr8k):
    dataset = load_dataset(flickr8k)
    assert [len(dataset.split(split)) for split in ("train", "val", "test")] == [6000, 1000, 0]
    assert dataset.report.read == (7091, 35455)
    assert len(dataset.report.dropped["photo in none of the split lists"]) == 91
    assert dataset.report.splits["val"] == (1000, 5000)
    assert {dataset.photo_bytes(example)[:2] for example in dataset.split("val")} == {b"\xff\xd8"}
