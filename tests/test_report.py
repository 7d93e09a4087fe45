"""The report on a data set: as a table, as JSON, in one line."""

import json

from training.data.report import Report


def report() -> Report:
    filled = Report("flickr8k", "flickr8k", read=(7091, 35455), splits={"train": (6000, 29983), "val": (1000, 5000)})
    for number in range(120):
        filled.drop("photo missing", f"{number}.jpg")
    filled.drop("caption without words", "7.jpg")
    filled.notes.append("no test list")
    return filled


def test_the_printed_report_is_an_aligned_table():
    assert str(report()).splitlines() == [
        "flickr8k (flickr8k)",
        "              photos  captions",
        "  read         7,091    35,455",
        "  train        6,000    29,983",
        "  val          1,000     5,000",
        "dropped",
        "  photo missing             120   0.jpg, 1.jpg, 2.jpg, ...",
        "  caption without words       1   7.jpg",
        "note: no test list",
    ]


def test_the_report_as_json_counts_all_that_was_dropped_and_names_the_first_hundred():
    content = json.loads(json.dumps(report().to_json()))
    assert content["splits"]["train"] == {"photos": 6000, "captions": 29983}
    assert content["dropped"]["photo missing"]["count"] == 120
    assert len(content["dropped"]["photo missing"]["what"]) == 100
    assert content["notes"] == ["no test list"]


def test_the_report_has_a_summary_in_one_line():
    assert report().summary() == "photo missing: 120; caption without words: 1"
