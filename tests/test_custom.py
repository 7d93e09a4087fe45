"""Reading own data sets: a table of photos and captions."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import BadData
from training.data import Dataset, load_dataset
from training.data.identity import split_by_hash


def load_table(folder, text) -> Dataset:
    (folder / "captions.csv").write_text(text)
    return load_dataset(folder)


def load_lines(folder, *records) -> Dataset:
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, records)))
    return load_dataset(folder)


@pytest.fixture
def folder(tmp_path):
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(b"photo")
    return tmp_path


def test_a_table_of_shapes_is_read_whole(tiny_dataset):
    dataset = load_dataset(tiny_dataset)
    assert [len(dataset.split(split)) for split in ("train", "val", "test")] == [6, 2, 0]
    assert dataset.examples[0].captions == (
        ("a", "red", "circle"),
        ("there", "is", "a", "circle", "and", "it", "is", "red"),
    )
    assert dataset.report.dropped == {}


def test_a_table_from_a_spreadsheet_is_read(folder):
    (folder / "captions.csv").write_bytes(b'\xef\xbb\xbfPhoto,Caption\r\n1.jpg,"A dog,\r\nasleep."\r\n\r\n')
    assert load_dataset(folder).examples[0].captions == (("a", "dog", "asleep"),)


def test_without_a_split_it_is_chosen_by_hash_and_said_so(folder):
    dataset = load_table(folder, "photo,caption\n1.jpg,A dog runs\n2.jpg,A cat runs\n")
    assert [example.split for example in dataset.examples] == [split_by_hash("1"), split_by_hash("2")]
    assert any("hash" in note for note in dataset.report.notes)


def test_one_row_may_name_the_split_for_all_rows_of_its_photo(folder):
    dataset = load_table(folder, "photo,caption,split\n1.jpg,A dog runs,\n1.jpg,The dog runs,dev\n1.jpg,Dogs run,\n")
    assert [(example.split, len(example.captions)) for example in dataset.examples] == [("val", 3)]


def test_sources_of_captions_are_read_and_counted(folder):
    lines = {
        "photo": "1.jpg",
        "captions": ["A dog runs", "Dogs run fast"],
        "sources": ["human", "machine"],
        "split": "train",
    }
    dataset = load_lines(folder, lines, {"photo": "2.jpg", "caption": "A cat sleeps", "split": "train"})
    assert [example.caption_sources for example in dataset.examples] == [("human", "machine"), ("human",)]
    assert dataset.report.sources == {"human": 2, "machine": 1}
    assert "machine" in str(dataset.report)


def test_a_table_may_name_sources(folder):
    rows = "1.jpg,A dog runs,train,\n1.jpg,Some dogs run,train,derived\n"
    dataset = load_table(folder, f"photo,caption,split,source\n{rows}")
    assert dataset.examples[0].sources == ("human", "derived")


@pytest.mark.parametrize(
    ("sources", "complaint"),
    [
        (["robot"], "there is no source 'robot'; use one of human, machine, derived"),
        (["human"] * 2, "1 captions and 2"),
    ],
)
def test_a_wrong_source_is_an_error(folder, sources, complaint):
    with pytest.raises(BadData, match=complaint):
        load_lines(folder, {"photo": "1.jpg", "captions": ["A dog runs"], "sources": sources})


def test_a_photo_in_two_splits_is_an_error(folder):
    with pytest.raises(BadData, match=r"1\.jpg is in train and in test; a photo has one split"):
        load_table(folder, "photo,caption,split\n1.jpg,A dog runs,train\n1.jpg,The dog runs,test\n")


def test_rows_of_another_length_are_dropped_and_numbered(folder):
    dataset = load_table(folder, "photo,caption\n1.jpg,A dog runs\n2.jpg,A cat, asleep\n2.jpg\n,A bird sings\n")
    (dropped,) = dataset.report.dropped.values()
    assert dropped == ["captions.csv line 3", "captions.csv line 4", "captions.csv line 5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line must be photo,caption"),
        ("1.jpg,A dog runs\n", "first line must be photo,caption"),
        ("photo,caption,split\n1.jpg,A dog runs,tets\n", "line 2: there is no split 'tets'"),
        ('photo,caption\n1.jpg,"A dog runs\n', r"line 2: not a CSV table .*check its quotes"),
        ("photo,caption\n", "an empty data set"),
        (
            "photo,caption\n1.jpg,...\n",
            r"an empty data set \(caption without words: 1; photo left without captions: 1\)",
        ),
    ],
)
def test_a_bad_table_is_an_error_that_says_where(folder, text, message):
    with pytest.raises(BadData, match=message):
        load_table(folder, text)


def test_json_lines_take_one_caption_or_several(folder):
    dataset = load_lines(
        folder,
        {"photo": "1.jpg", "caption": "A dog runs.", "split": "test"},
        {"photo": "2.jpg", "captions": ["A cat runs.", "The cat runs."], "split": "train", "score": 0.5},
        {"photo": "1.jpg", "caption": "The dog runs."},
    )
    assert [(example.id, example.split, len(example.captions)) for example in dataset.examples] == [
        ("1", "test", 2),
        ("2", "train", 2),
    ]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (["1.jpg", "A dog"], "line 1: 'photo' is missing or not text"),
        ({"photo": "1.jpg"}, "line 1: needs a photo, and a caption or captions"),
        ({"photo": "1.jpg", "captions": "A dog"}, "line 1: 'captions' is missing or not a list"),
        ({"photo": "1.jpg", "captions": ["A dog", 5]}, "line 1: needs a photo, and a caption or captions"),
        ({"photo": "", "caption": "A dog"}, "line 1: needs a photo, and a caption or captions"),
        ({"photo": "1.jpg", "caption": "A dog", "split": 3}, "line 1: 'split' is missing or not text"),
        ({"photo": "1.jpg", "caption": "A dog \ud83d"}, "line 1: not JSON"),
    ],
)
def test_a_bad_json_line_is_an_error_that_says_where(folder, record, message):
    with pytest.raises(BadData, match=message):
        load_lines(folder, record)


def test_a_truncated_json_line_is_an_error(folder):
    (folder / "captions.jsonl").write_text('{"photo": "1.jpg", "caption": "A dog runs."}\n{"photo": "2.j')
    with pytest.raises(BadData, match="line 2: not JSON"):
        load_dataset(folder)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1.jpg", "train", "A dog"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["photo", "caption", "captions", "split", "images"]) | st.text(), inner, max_size=5
        )
    ),
    max_leaves=12,
)
HOSTILE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    st.text('photo,captin1.jg"\n\r\t\\ |#{}[]:\0', max_size=120).map(
        lambda text: b"photo,caption,split\n" + text.encode()
    ),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(JSON, max_size=3).map(lambda values: "\n".join(map(json.dumps, values)).encode()),
    st.sampled_from(
        [b"[" * 100_000, b"1" * 5000, b'photo,caption\n1.jpg,"' + b"a" * 200_000, b"photo,caption,caption,photo\n"]
    ),
)
FILES = ["captions.csv", "captions.jsonl", "captions.txt", "captions_train.json", "dataset_coco.json", "results.csv"]


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from([*FILES, "Flickr8k.token.txt"]), content=HOSTILE)
def test_any_file_is_read_or_raises_bad_data(name, content):
    """Of every format; no other error, and what is read holds together."""
    with TemporaryDirectory() as folder:
        Path(folder, "1.jpg").write_bytes(b"photo")
        Path(folder, name).write_bytes(content)
        try:
            dataset = load_dataset(Path(folder))
        except BadData:
            return
        assert [example.photo.endswith("1.jpg") for example in dataset.examples] == [True]
        assert str(dataset.report).encode()
