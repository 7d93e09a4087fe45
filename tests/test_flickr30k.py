"""Reading Flickr30k's table."""

import pytest

from model.errors import BadData
from training.data import load_dataset
from training.data.identity import split_by_hash

HEADER = "image_name| comment_number| comment\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("1000092795.jpg", "2199200615.jpg"):
        (tmp_path / name).write_bytes(b"photo")
    return tmp_path


def test_rows_are_separated_by_bars_and_spaces(folder):
    (folder / "results.csv").write_text(HEADER + '1000092795.jpg| 0| Two men , one "young" | look .\n')
    (example,) = load_dataset(folder).examples
    assert example.id == "1000092795"
    assert [word for word in example.captions[0] if word.isalpha()] == ["two", "men", "one", "young", "look"]
    assert example.split == split_by_hash("1000092795")


def test_the_row_without_a_separator_is_dropped_and_named(folder):
    rows = "2199200615.jpg| 3| A dog runs .\n2199200615.jpg| 4   A dog runs across the grass .\n"
    (folder / "results.csv").write_text(HEADER + rows)
    dataset = load_dataset(folder)
    assert dataset.examples[0].captions == (("a", "dog", "runs"),)
    assert dataset.report.dropped == {"line without photo| number| caption": ["results.csv line 3"]}


def test_another_table_of_that_name_is_an_error(folder):
    (folder / "results.csv").write_text("epoch,loss\n1,3.2\n")
    with pytest.raises(BadData, match="first line must be image_name"):
        load_dataset(folder)
