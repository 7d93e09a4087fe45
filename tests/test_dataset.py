"""Data sets: photos are found, read, and their splits counted."""

import json

import pytest

from model.errors import BadData, UnreadablePhoto
from model.preprocessing import read_photo
from training.data import Example, load_dataset


def write(folder, **captions_by_photo):
    """A custom data set; `_` in a photo's name stands for the dot."""
    for name in captions_by_photo:
        (folder / name.replace("_", ".")).write_bytes(b"photo")
    records = [{"photo": name.replace("_", "."), "captions": list(all)} for name, all in captions_by_photo.items()]
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, records)))
    return folder


def test_the_photos_bytes_can_be_read(tiny_dataset):
    dataset = load_dataset(tiny_dataset)
    shapes = {read_photo(dataset.photo_bytes(example)).shape for example in dataset.examples}
    assert shapes == {(224, 224, 3)}


def test_a_missing_photo_is_named_and_skipped(tiny_dataset):
    (tiny_dataset / "red-circle.jpg").unlink()
    dataset = load_dataset(tiny_dataset)
    assert len(dataset.examples) == 7
    assert dataset.report.dropped == {"photo missing": ["red-circle.jpg"]}


def test_photos_may_lie_elsewhere(tiny_dataset, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for photo in tiny_dataset.glob("*.jpg"):
        photo.rename(elsewhere / photo.name)
    assert len(load_dataset(tiny_dataset, photos=elsewhere).examples) == 8


def test_a_data_set_without_any_of_its_photos_is_an_error_that_says_what_to_do(tiny_dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadData, match=r"none of its 8 photos is in .*empty; name the folder that holds them"):
        load_dataset(tiny_dataset, photos=tmp_path / "empty")


def test_two_photos_with_one_id_are_not_confused(tmp_path):
    dataset = load_dataset(write(tmp_path, a_jpg=["A dog runs"], a_png=["A cat runs"]))
    assert [example.photo for example in dataset.examples] == ["a.jpg"]
    assert dataset.report.dropped == {"photo whose id another one has": ["a.png (a.jpg)"]}


def test_the_report_counts_what_was_read_and_kept(tiny_dataset):
    report = load_dataset(tiny_dataset).report
    assert report.read == (8, 16)
    assert report.splits == {"train": (6, 12), "val": (2, 4), "test": (0, 0)}


def test_a_split_that_does_not_exist_is_an_error(tiny_dataset):
    with pytest.raises(BadData, match="there is no split 'dev'; choose one of train, val, test"):
        load_dataset(tiny_dataset).split("dev")


def test_an_example_of_another_data_set_has_no_photo_here(tiny_dataset):
    stranger = Example("stranger", "stranger.jpg", (("a", "dog"),), "train")
    with pytest.raises(UnreadablePhoto, match=r"stranger\.jpg: this data set does not have it"):
        load_dataset(tiny_dataset).photo_bytes(stranger)


def test_the_hash_is_of_the_content_not_of_its_order(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    one = load_dataset(write(first, a_jpg=["A dog runs"], b_jpg=["A cat runs"]))
    other = load_dataset(write(second, b_jpg=["A cat runs."], a_jpg=["A dog runs"]))
    assert one.hash == other.hash
    assert len(one.hash) == 12


@pytest.mark.parametrize("change", ["caption", "split", "photo"])
def test_the_hash_changes_with_captions_splits_and_photos(tiny_dataset, change):
    before = load_dataset(tiny_dataset).hash
    table = tiny_dataset / "captions.csv"
    if change == "photo":
        (tiny_dataset / "red-circle.jpg").unlink()
    else:
        old, new = {"caption": ("A red circle", "One red circle"), "split": (",val", ",test")}[change]
        table.write_text(table.read_text().replace(old, new))
    assert load_dataset(tiny_dataset).hash != before


def test_a_folder_without_captions_is_an_error_that_says_what_was_looked_for(tmp_path):
    with pytest.raises(BadData) as caught:
        load_dataset(tmp_path)
    for name in (
        "Flickr8k.token.txt",
        "captions.txt",
        "results.csv",
        "captions_*.json",
        "dataset_*.json",
        "captions.csv",
    ):
        assert name in str(caught.value)


def test_a_folder_with_captions_of_two_formats_needs_the_format(tmp_path):
    write(tmp_path, a_jpg=["A dog runs"])
    (tmp_path / "captions.txt").write_text("image,caption\na.jpg,A cat runs\n")
    with pytest.raises(BadData, match=r"several data sets \(flickr8k, custom\); say which format"):
        load_dataset(tmp_path)
    assert load_dataset(tmp_path, format="custom").examples[0].captions == (("a", "dog", "runs"),)


def test_an_unknown_format_is_an_error_that_lists_the_known_ones(tmp_path):
    with pytest.raises(BadData, match="choose one of auto, flickr8k, flickr30k, coco, karpathy, custom"):
        load_dataset(tmp_path, format="flicker")


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(BadData, match="no such file or folder"):
        load_dataset(tmp_path / "nowhere")
