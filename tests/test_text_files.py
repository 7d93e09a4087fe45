"""Reading text files in several encodings."""

import pytest

from model.errors import BadData
from training.data.text_files import find_files, parse_json, read_csv, read_json, read_lines, read_text


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file"


def test_the_byte_order_mark_of_excel_is_skipped(file):
    file.write_bytes(b"\xef\xbb\xbfphoto")
    assert read_text(file) == "photo"


def test_text_in_another_encoding_is_an_error_that_says_what_to_do(file):
    file.write_bytes("photo,caption".encode("utf-16"))
    with pytest.raises(BadData, match=r"file: not UTF-8 text \(byte 0\); save it as UTF-8"):
        read_text(file)


def test_a_file_that_cannot_be_opened_is_an_error_that_says_why(file):
    file.mkdir()
    with pytest.raises(BadData, match=r"file: cannot be read \(Is a directory\)"):
        read_text(file)


def test_lines_are_numbered_as_an_editor_does_and_only_newlines_end_them(file):
    file.write_text("one\r\n\n  two\u2028three \n", newline="")
    assert list(read_lines(file)) == [(1, "one"), (3, "two\u2028three")]


def test_a_cell_may_go_over_several_lines(file):
    file.write_text('a,"b\nc"\n , \nd,e\n')
    assert list(read_csv(file)) == [(2, ["a", "b\nc"]), (4, ["d", "e"])]


def test_json_nested_too_deep_is_an_error(file):
    file.write_text("[" * 100_000)
    with pytest.raises(BadData, match="file: not JSON"):
        read_json(file)


def test_surrogate_pairs_are_read_and_a_lone_surrogate_is_an_error():
    assert parse_json(r'"\ud83d\udc15"', "here") == "🐕"
    with pytest.raises(BadData, match="here: not JSON"):
        parse_json(r'"\uD83D dog"', "here")


def test_the_first_pattern_that_fits_any_file_counts(tmp_path):
    for name in ("b.json", "a.json", "a.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in find_files(tmp_path, "*.txt", "*.json", "*.csv")] == ["a.json", "b.json"]
    assert find_files(tmp_path / "a.csv", "*.txt", "*.csv") == [tmp_path / "a.csv"]
    assert find_files(tmp_path / "a.csv", "*.json") == []


def test_hidden_files_are_not_read(tmp_path):
    for name in ("a.csv", "._a.csv"):
        (tmp_path / name).write_text("photo,caption\n")
    assert find_files(tmp_path, "*.csv") == [tmp_path / "a.csv"]
